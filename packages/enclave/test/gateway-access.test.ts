import { apiKeyDigest } from "@blindbox/manifest";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeApp, startApp } from "./fake-app.ts";
import { aliceKey, bobKey, digestOf, type Fixture, startGateway } from "./gateway-fixture.ts";
import { call, problemCode, sendRaw } from "./tls-caller.ts";

let app: FakeApp;
let box: Fixture;

beforeAll(async () => {
  app = await startApp();
  box = await startGateway({ appPort: app.port });
});
afterAll(async () => {
  await box.close();
  await app.close();
});
beforeEach(() => void app.seen.splice(0));

function headerLines(name: string): string[] {
  const raw = app.seen.at(-1)?.rawHeaders ?? [];
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name);
}

describe("who gets through to the application", () => {
  it("hashes keys as the manifest does", async () => {
    expect(digestOf(aliceKey)).toBe(await apiKeyDigest(aliceKey));
  });

  it("lets a known key through where a rule allows it", async () => {
    expect(await call(box.port, "/a/x?q=1", { key: aliceKey })).toMatchObject({ status: 200, body: "ok" });
    expect(app.seen).toMatchObject([{ method: "GET", url: "/a/x?q=1" }]);
  });

  it.each([
    ["no credential", "GET", "/a/x", {}, 401, "unauthenticated"],
    ["an unknown key", "GET", "/a/x", { authorization: `Bearer bb_${"A".repeat(43)}` }, 401, "unauthenticated"],
    [
      "an unknown key where anonymous is allowed",
      "GET",
      "/open/x",
      { authorization: `Bearer bb_${"A".repeat(43)}` },
      401,
      "unauthenticated",
    ],
    ["a key that is cut short", "GET", "/open/x", { authorization: "Bearer bb_short" }, 401, "unauthenticated"],
    ["a key under another scheme", "GET", "/open/x", { authorization: `Token ${aliceKey}` }, 401, "unauthenticated"],
    ["a key without scheme", "GET", "/open/x", { authorization: aliceKey }, 401, "unauthenticated"],
    [
      "a key with something behind it",
      "GET",
      "/open/x",
      { authorization: `Bearer ${aliceKey} x` },
      401,
      "unauthenticated",
    ],
    [
      "a box credential that is no key",
      "GET",
      "/open/x",
      { "x-blindbox-authorization": "Basic abc" },
      401,
      "unauthenticated",
    ],
    ["a key in the query", "GET", `/a/x?api_key=${aliceKey}`, {}, 400, "misplaced-credential"],
    ["a key in a cookie only", "GET", "/a/x", { cookie: `authorization=Bearer ${aliceKey}` }, 401, "unauthenticated"],
    ["a method that no rule names", "POST", "/a/x", { authorization: `Bearer ${bobKey}` }, 403, "forbidden"],
    ["TRACE", "TRACE", "/a/x", { authorization: `Bearer ${aliceKey}` }, 403, "forbidden"],
    ["a path that no rule names", "GET", "/b", { authorization: `Bearer ${aliceKey}` }, 403, "forbidden"],
    ["a dot segment", "GET", "/a/../b", { authorization: `Bearer ${aliceKey}` }, 400, "bad-target"],
    ["an escaped dot segment", "GET", "/a/%2e%2e/b", { authorization: `Bearer ${aliceKey}` }, 400, "bad-target"],
    ["an empty segment", "GET", "//a/x", { authorization: `Bearer ${aliceKey}` }, 400, "bad-target"],
    ["an asterisk", "OPTIONS", "*", { authorization: `Bearer ${aliceKey}` }, 400, "bad-target"],
    ["an absolute target", "GET", "http://127.0.0.1/a/x", { authorization: `Bearer ${aliceKey}` }, 400, "bad-target"],
  ])("refuses %s", async (_, method, path, headers, status, code) => {
    const answer = await call(box.port, path, { method, headers });
    expect([answer.status, problemCode(answer)]).toEqual([status, code]);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(app.seen).toEqual([]);
  });

  it("names the scheme to who has no credential, and nothing of rules or application", async () => {
    const answer = await call(box.port, "/a/secret-path");
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(answer.headers).not.toHaveProperty("server");
    expect(answer.headers).not.toHaveProperty("date");
    expect(answer.body).toBe(
      '{"type":"urn:blindbox:problem:unauthenticated","title":"A valid credential is needed","status":401}',
    );
  });
});

describe("credentials and the application", () => {
  it("takes our key out of Authorization", async () => {
    await call(box.port, "/a/x", { key: aliceKey });
    expect(headerLines("authorization")).toEqual([]);
    expect(JSON.stringify(app.seen)).not.toContain(aliceKey);
  });

  it("takes x-blindbox-authorization first, and then passes Authorization on", async () => {
    const headers = { "x-blindbox-authorization": `Bearer ${aliceKey}`, authorization: "Bearer of-the-app" };
    expect(await call(box.port, "/a/x", { headers })).toMatchObject({ status: 200 });
    expect(headerLines("authorization")).toEqual(["Bearer of-the-app"]);
    expect(JSON.stringify(app.seen)).not.toContain(aliceKey);
  });

  it("does not fall back to Authorization when x-blindbox-authorization is wrong", async () => {
    const headers = { "x-blindbox-authorization": "Bearer bb_wrong", authorization: "Bearer of-the-app" };
    expect(await call(box.port, "/open/x", { headers })).toMatchObject({ status: 401 });
    expect(app.seen).toEqual([]);
  });

  it.each([
    ["the same key", `Bearer ${aliceKey}`, `Bearer ${aliceKey}`],
    ["another key", `Bearer ${aliceKey}`, `Bearer ${bobKey}`],
    ["a key under another scheme", `Bearer ${aliceKey}`, `Token ${bobKey}`],
    ["a key that is cut short", `Bearer ${aliceKey}`, "bearer bb_short"],
    ["a key beside a wrong one of the box's own", "Bearer bb_wrong", `Bearer ${aliceKey}`],
  ])("never shows the application %s in Authorization beside x-blindbox-authorization", async (_, ours, shared) => {
    const headers = { "x-blindbox-authorization": ours, authorization: shared };
    const answer = await call(box.port, "/a/x", { headers });
    expect([answer.status, problemCode(answer)]).toEqual([400, "repeated-credential"]);
    expect(app.seen).toEqual([]);
  });

  it("passes on an Authorization that is the application's own", async () => {
    await call(box.port, "/open/x", { headers: { authorization: "Basic dXNlcjpwYXNz" } });
    expect(headerLines("authorization")).toEqual(["Basic dXNlcjpwYXNz"]);
  });

  it.each([
    ["Authorization", `Authorization: Bearer ${aliceKey}\r\nauthorization: Bearer ${bobKey}`],
    ["Authorization, twice the same", `Authorization: Bearer ${aliceKey}\r\nAuthorization: Bearer ${aliceKey}`],
    [
      "x-blindbox-authorization",
      `X-Blindbox-Authorization: Bearer ${aliceKey}\r\nx-blindbox-authorization: Bearer ${aliceKey}`,
    ],
  ])("refuses a repeated %s", async (_, lines) => {
    const answer = await sendRaw(box.port, `GET /a/x HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`);
    expect(answer).toContain("400 Bad Request");
    expect(answer).toContain("urn:blindbox:problem:repeated-credential");
    expect(app.seen).toEqual([]);
  });
});

describe("the box's own folder", () => {
  it.each(["", "/", "/other", "/health/x", "/attestation/"])(
    "never passes /.well-known/blindbox%s on",
    async (rest) => {
      const answer = await call(box.port, `/.well-known/blindbox${rest}`, { key: aliceKey });
      expect([answer.status, problemCode(answer)]).toEqual([404, "not-found"]);
      expect(app.seen).toEqual([]);
    },
  );

  it.each([
    "/.WELL-KNOWN/BlindBox/attestation",
    "/.well-known/%62lindbox/attestation",
    "/a/../.well-known/blindbox/health",
    "/.well-known//blindbox/health",
  ])("never passes %s on", async (path) => {
    expect((await call(box.port, path, { key: aliceKey })).status).toBeGreaterThanOrEqual(400);
    expect(app.seen).toEqual([]);
  });

  it.each(["starting", "ready", "down"] as const)("answers health alike while the application is %s", async (state) => {
    box.setState(state);
    const answer = await call(box.port, "/.well-known/blindbox/health");
    box.setState("ready");
    expect(answer).toMatchObject({ status: 200, body: '{"status":"up"}' });
    expect(app.seen).toEqual([]);
  });

  it("answers health to HEAD, and to nothing that could change something", async () => {
    expect(await call(box.port, "/.well-known/blindbox/health", { method: "HEAD" })).toMatchObject({
      status: 200,
      body: "",
    });
    expect(await call(box.port, "/.well-known/blindbox/health", { method: "POST" })).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD" },
    });
  });
});
