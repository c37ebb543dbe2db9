import { describe, expect, test } from "vitest";
import { type AddCredentials, createCredentials } from "../src/request/credentials.ts";
import { readFetchCall } from "../src/request/fetch-input.ts";
import { readInit } from "../src/request/init.ts";
import { readMethod } from "../src/request/method.ts";

const names = ["headers", "body", "signal"];
const apiKey = `bb_${"A".repeat(43)}`;
const withKey = credentialsOf(apiKey);

function credentialsOf(key: string | null): AddCredentials {
  return createCredentials({ apiKey: key, token: null, certificate: null }, () => new Date());
}

function headersOf(init: unknown): Headers {
  return readInit(init, "POST", names).headers;
}

describe("what a caller says about a request", () => {
  test("may be nothing", () => {
    expect(readInit(undefined, "GET", names)).toMatchObject({ body: null, signal: null });
  });

  test.each(["host", "Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Keep-Alive", "Expect"])(
    "must not set %s",
    (name) => {
      expect(() => headersOf({ headers: { [name]: "x" } })).toThrow(new RegExp(name.toLowerCase()));
    },
  );

  test("must not set the box's own credential field, in any case", () => {
    expect(() => headersOf({ headers: { "X-BlindBox-Authorization": "x" } })).toThrow(TypeError);
  });

  test.each([
    ["method", { method: "GET" }],
    ["json", { json: {} }],
    ["dispatcher", { dispatcher: {} }],
    ["redirect", { redirect: "follow" }],
    ["credentials", { credentials: "include" }],
  ])("must not hold the unknown member %s", (name, init) => {
    expect(() => readInit(init, "POST", names)).toThrow(new RegExp(`init\\.${name} is unknown`));
  });

  test.each([
    ["a number", 1],
    ["a plain object", {}],
    ["true", true],
  ])("must not have %s for a body", (_, body) => {
    expect(() => readInit({ body }, "POST", names)).toThrow(/init\.body/);
  });

  test.each(["GET", "HEAD"])("must not have a body with %s", (method) => {
    expect(() => readInit({ body: "x" }, method, names)).toThrow(/init\.body/);
  });

  test("must not have something else for a signal", () => {
    expect(() => readInit({ signal: { aborted: false } }, "GET", names)).toThrow(/init\.signal/);
  });

  test("does not have its header values repeated when they are malformed", () => {
    expect(() => headersOf({ headers: { authorization: "secret\r\nword" } })).toThrow(/^(?!.*secret)/);
    expect(() => headersOf({ headers: { authorization: "secret\r\nword" } })).toThrow(/init\.headers/);
  });

  test.each([`Bearer ${apiKey}`, `bearer  ${apiKey}`, ` BEARER ${apiKey} `])(
    "must not hold an API key of a box in Authorization, and does not have it repeated: %s",
    (authorization) => {
      const attempt = (): Headers => headersOf({ headers: { Authorization: authorization } });
      expect(attempt).toThrow(TypeError);
      expect(attempt).toThrow(/^init\.headers[^]*authorization/);
      expect(attempt).not.toThrow(/bb_|AAAA/);
    },
  );

  test.each(["Bearer bb_short", `Basic ${apiKey}`, "Bearer app"])(
    "may hold an Authorization of the application's own: %s",
    (authorization) => {
      expect(headersOf({ headers: { authorization } }).get("authorization")).toBe(authorization);
    },
  );

  test("names the type of text and forms, unless the caller does", () => {
    expect(headersOf({ body: "x" }).get("content-type")).toBe("text/plain;charset=UTF-8");
    expect(headersOf({ body: new URLSearchParams("a=b") }).get("content-type")).toMatch(/^application\/x-www-form/);
    expect(headersOf({ body: "{}", headers: { "content-type": "a/b" } }).get("content-type")).toBe("a/b");
  });

  test("asks for answers that are not compressed, unless the caller does", () => {
    expect(headersOf({}).get("accept-encoding")).toBe("identity");
    expect(headersOf({ headers: [["accept-encoding", "gzip"]] }).get("accept-encoding")).toBe("gzip");
  });

  test("leaves the caller's own headers as they were", async () => {
    const own = new Headers({ a: "b" });
    await withKey(headersOf({ headers: own }));
    expect([...own]).toEqual([["a", "b"]]);
  });
});

describe("the box's credential", () => {
  test("goes into Authorization", async () => {
    const headers = new Headers();
    await withKey(headers);
    expect([...headers]).toEqual([["authorization", `Bearer ${apiKey}`]]);
  });

  test("leaves the application's Authorization alone", async () => {
    const headers = new Headers({ authorization: "Bearer app" });
    await withKey(headers);
    expect(Object.fromEntries(headers)).toEqual({
      authorization: "Bearer app",
      "x-blindbox-authorization": `Bearer ${apiKey}`,
    });
  });

  test("is nothing for an anonymous caller", async () => {
    const headers = new Headers();
    await credentialsOf(null)(headers);
    expect([...headers]).toEqual([]);
  });
});

describe("a method", () => {
  test("is taken in upper case", () => {
    expect(["get", "Patch", "PROPFIND"].map(readMethod)).toEqual(["GET", "PATCH", "PROPFIND"]);
  });

  test.each(["CONNECT", "trace", "TRACK", "", "GET ", "GE\r\nT", "G".repeat(33), 1, undefined])(
    "is not %j",
    (method) => {
      expect(() => readMethod(method)).toThrow(TypeError);
    },
  );
});

describe("a call of fetch", () => {
  test("takes what libraries pass", () => {
    const call = readFetchCall("/a", {
      method: "post",
      headers: { a: "b" },
      body: "x",
      duplex: "half",
      redirect: "manual",
    });
    expect(call).toMatchObject({ method: "POST", url: "/a", body: "x" });
  });

  test("takes a Request, and an init on top of it", async () => {
    const request = new Request("https://box.example/a", { method: "POST", headers: { a: "b" }, body: "x" });
    const call = readFetchCall(request, { headers: { c: "d" } });
    expect(call).toMatchObject({ method: "POST", url: "https://box.example/a" });
    expect([call.headers.has("a"), call.headers.get("c")]).toEqual([false, "d"]);
    expect(await new Response(call.body as ReadableStream).text()).toBe("x");
  });

  test.each([{ redirect: "follow" }, { redirect: "error" }])("refuses %j", (init) => {
    expect(() => readFetchCall("/a", init)).toThrow(/init\.redirect/);
  });

  test.each(["dispatcher", "credentials", "cache", "mode", "integrity", "keepalive", "json"])(
    "refuses the member %s, which it would have to ignore",
    (name) => {
      expect(() => readFetchCall("/a", { [name]: true })).toThrow(new RegExp(`init\\.${name} is unknown`));
    },
  );
});
