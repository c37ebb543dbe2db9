/** Requests that the rules refuse, and requests that two servers could read differently: the host never hears of them. */
import type { VerifiedEgress } from "@blindbox/manifest";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serveVerified } from "../src/egress/modes/verified.ts";
import { openTls, receive, say } from "./fixtures-egress/app.ts";
import { type HttpSite, startHttpsSite } from "./fixtures-egress/sites.ts";
import { createWorld, type World } from "./fixtures-egress/verified.ts";
import { startWayOut, verifiedRule, type WayOut } from "./fixtures-egress/way-out.ts";

let world: World;
let site: HttpSite;
let way: WayOut;

const rule: Partial<VerifiedEgress> = { methods: ["GET", "POST"], paths: ["/v1/**"] };

beforeAll(async () => {
  world = await createWorld();
});
beforeEach(async () => {
  site = await world.kept(startHttpsSite(world.honest));
  way = await world.wayTo(site, { rule });
});
afterEach(() => world.clear());

async function ask(text: string, to = way): Promise<string> {
  return (await say(await openTls(to.port, world.authority.certificate), text)).text;
}

const smuggled = "GET /v1/smuggled HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
const get = (target: string, host = "api.test"): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
const post = (headers: string, body: string): string =>
  `POST /v1/x HTTP/1.1\r\nHost: api.test\r\n${headers}\r\n${body}`;

type Case = readonly [what: string, text: string, status: number, verdict: string];

const cases: readonly Case[] = [
  ["a path that no rule has", get("/v2/x"), 403, "path"],
  ["the path of a rule in capitals", get("/V1/x"), 403, "path"],
  ["a path that only begins like that of a rule", get("/v1x"), 403, "path"],
  ["a method that no rule has", get("/v1/x").replace("GET", "DELETE"), 403, "method"],
  ["a method in small letters", get("/v1/x").replace("GET", "get"), 400, "form"],
  ["a method that nobody knows", get("/v1/x").replace("GET", "SECRET"), 400, "form"],
  ["TRACE", get("/v1/x").replace("GET", "TRACE"), 403, "method"],
  ["CONNECT", "CONNECT forbidden.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n", 403, "method"],
  ["CONNECT to itself", "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n", 403, "method"],
  ["an absolute target", get("https://forbidden.test/v1/x"), 400, "target"],
  ["an absolute target of the very host", get("https://api.test/v1/x"), 400, "target"],
  ["an asterisk", get("*").replace("GET", "OPTIONS"), 400, "target"],
  ["escaped dots", get("/v1/%2e%2e/v2/x"), 400, "target"],
  ["half escaped dots", get("/v1/.%2E/v2/x"), 400, "target"],
  ["dots", get("/v1/../v2/x"), 400, "target"],
  ["an escaped slash", get("/v1/..%2fv2"), 400, "target"],
  ["a double escape", get("/v1/%252e%252e/v2"), 400, "target"],
  ["a backslash", get("/v1/..\\v2"), 400, "target"],
  ["two slashes", get("//forbidden.test/v1/x"), 400, "target"],
  ["a semicolon", get("/v1/..;/v2"), 400, "target"],
  ["a fragment", get("/v1/x#/v2"), 400, "target"],
  ["an escaped NUL", get("/v1/x%00"), 400, "target"],
  ["bytes beyond ASCII", get("/v1/\xe9"), 400, "form"],
  ["another host", get("/v1/x", "forbidden.test"), 421, "host"],
  ["a host below", get("/v1/x", "a.api.test"), 421, "host"],
  ["another port of the host", get("/v1/x", "api.test:8443"), 421, "host"],
  ["a port with a zero in front", get("/v1/x", "api.test:0443"), 421, "host"],
  ["an empty port", get("/v1/x", "api.test:"), 421, "host"],
  ["an empty host", get("/v1/x", ""), 421, "host"],
  ["the host's address", get("/v1/x", "127.0.0.1"), 421, "host"],
  ["a host with a user", get("/v1/x", "api.test@forbidden.test"), 421, "host"],
  ["a host with a second one", get("/v1/x", "api.test, forbidden.test"), 421, "host"],
  ["two hosts", get("/v1/x", "api.test\r\nHost: forbidden.test"), 421, "host"],
  ["two hosts, the other first", get("/v1/x", "forbidden.test\r\nHost: api.test"), 421, "host"],
  ["the host twice", get("/v1/x", "api.test\r\nhost: api.test"), 421, "host"],
  ["no host", "GET /v1/x HTTP/1.1\r\nConnection: close\r\n\r\n", 421, "host"],
  ["HTTP/1.0", get("/v1/x").replace("1.1", "1.0"), 400, "form"],
  ["HTTP/0.9", "GET /v1/x\r\n\r\n", 400, "form"],
  ["the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "form"],
  ["no HTTP", "SECRET\r\n\r\n", 400, "form"],
  [
    "a length and chunks",
    post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`),
    400,
    "form",
  ],
  [
    "chunks and a length",
    post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", `0\r\n\r\n${smuggled}`),
    400,
    "form",
  ],
  ["two lengths", post("Content-Length: 0\r\nContent-Length: 4\r\n", "abcd"), 400, "form"],
  ["the same length twice", post("Content-Length: 4\r\nContent-Length: 4\r\n", "abcd"), 400, "form"],
  ["a list of lengths", post("Content-Length: 4, 4\r\n", "abcd"), 400, "form"],
  ["a signed length", post("Content-Length: +4\r\n", "abcd"), 400, "form"],
  ["a length in hex", post("Content-Length: 0x4\r\n", "abcd"), 400, "form"],
  ["a length beyond exact numbers", post("Content-Length: 9007199254740993\r\n", "abcd"), 400, "form"],
  ["two codings", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400, "form"],
  [
    "two lines of codings",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    400,
    "form",
  ],
  ["a coding that is none", post("Transfer-Encoding: identity\r\n", smuggled), 400, "form"],
  ["a coding with a tab", post("Transfer-Encoding:\tchunked, identity\r\n", "0\r\n\r\n"), 400, "form"],
  ["a folded header", post("X-A: b\r\n c\r\nContent-Length: 0\r\n", ""), 400, "form"],
  ["a folded coding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400, "form"],
  ["a space before the colon", post("Content-Length : 4\r\n", "abcd"), 400, "form"],
  [
    "a space before the first header",
    "GET /v1/x HTTP/1.1\r\n Host: forbidden.test\r\nHost: api.test\r\n\r\n",
    400,
    "form",
  ],
  ["bare line feeds", "GET /v1/x HTTP/1.1\nHost: api.test\n\n", 400, "form"],
  ["a bare carriage return", post("X-A: b\rX-B: c\r\nContent-Length: 0\r\n", ""), 400, "form"],
  ["a NUL in a header", post("X-A: b\0c\r\nContent-Length: 0\r\n", ""), 400, "form"],
  ["a head that is too large", post(`X-A: ${"a".repeat(20_000)}\r\n`, ""), 400, "form"],
  ["too many headers", post(`${"A: b\r\n".repeat(100)}Content-Length: 0\r\n`, ""), 400, "form"],
  ["an expectation that is none", post("Expect: secret\r\nContent-Length: 0\r\n", ""), 400, "form"],
  [
    "an upgrade to HTTP/2",
    post(
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 0\r\n",
      "",
    ),
    403,
    "upgrade",
  ],
  [
    "an upgrade that the connection does not know of",
    post("Connection: close\r\nUpgrade: websocket\r\nContent-Length: 0\r\n", ""),
    403,
    "upgrade",
  ],
  [
    "a WebSocket that no rule has",
    "GET /v1/x HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    403,
    "upgrade",
  ],
  [
    "a header that stands for another method",
    post("Connection: close\r\nX-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n", ""),
    403,
    "override",
  ],
  [
    "the same with underscores",
    post("Connection: close\r\nX_HTTP_Method_Override: DELETE\r\nContent-Length: 0\r\n", ""),
    403,
    "override",
  ],
  ["a header that stands for another path", get("/v1/x", "api.test\r\nX-Original-URL: /v2"), 403, "override"],
];

describe("the host never hears of a request with", () => {
  it.each(cases)("%s", async (_, text, status, verdict) => {
    const answer = await ask(text);
    const code = verdict === "upgrade" ? "refused-upgrade" : `refused-request-${verdict}`;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*"urn:blindbox:problem:egress:${code}"`));
    expect(site.connections()).toBe(0);
    expect(way.records.map((record) => [record.verdict, record.rule, record.sent])).toEqual([[code, 0, 0]]);
  });
});

describe("what stands behind a refused request", () => {
  it.each(cases.filter(([, , status]) => status === 400))("is not a request behind %s", async (_, text) => {
    await ask(text + smuggled);
    expect(site.requests).toEqual([]);
    expect(site.connections()).toBe(0);
  });

  it("is one where the refusal was about the rules alone", async () => {
    const answer = await ask(get("/v2/x").replace("Connection: close\r\n", "") + smuggled);
    expect(answer.match(/HTTP\/1\.1 (403|200)/g)).toEqual(["HTTP/1.1 403", "HTTP/1.1 200"]);
    expect(site.requests).toEqual(["GET /v1/smuggled"]);
  });
});

describe("chunks that are not what they say", () => {
  it.each([
    ["a size that is too small", "2\r\nabc\r\n0\r\n\r\n"],
    ["a size that is no number", "x\r\nabc\r\n0\r\n\r\n"],
    ["a size with a sign", "+3\r\nabc\r\n0\r\n\r\n"],
    ["a size with 0x", "0x3\r\nabc\r\n0\r\n\r\n"],
    ["a size beyond all numbers", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"],
    ["a bare line feed behind the size", "3\nabc\r\n0\r\n\r\n"],
    ["a bare line feed behind the data", "3\r\nabc\n0\r\n\r\n"],
    ["a space before the size", " 3\r\nabc\r\n0\r\n\r\n"],
    ["a space behind the size", "3 \r\nabc\r\n0\r\n\r\n"],
    ["a bare line feed in an extension", "3;a=b\nX\r\nabc\r\n0\r\n\r\n"],
  ])("are not followed by a request: %s", async (_, body) => {
    await ask(post("Transfer-Encoding: chunked\r\n", body + smuggled));
    expect(site.requests).not.toContain("GET /v1/smuggled");
    expect(site.heard()).not.toContain("0\r\n\r\n");
  });
});

describe("a refusal", () => {
  it("says the same whatever the application wrote, and nothing that it wrote", async () => {
    const first = await ask(get("/secret"));
    expect(await ask(get("/other/secret?x=1"))).toBe(first);
    expect(first).not.toContain("secret");
    expect(JSON.parse(first.split("\r\n\r\n")[1] ?? "")).toEqual({
      type: "urn:blindbox:problem:egress:refused-request-path",
      title: "No egress rule allows this request",
      status: 403,
    });
  });

  it("can be read by an application that sends a long body, which goes nowhere", async () => {
    const socket = await openTls(way.port, world.authority.certificate);
    const refused = receive(socket, "refused-request-path");
    socket.write(`POST /v2/x HTTP/1.1\r\nHost: api.test\r\nContent-Length: 100000\r\n\r\n${"s".repeat(100_000)}`);
    await refused;
    const answered = receive(socket, "ok");
    socket.write(smuggled);
    await answered;
    expect(site.heard()).not.toContain("sss");
  });

  it("ends the connection of an application that goes on sending", async () => {
    const socket = await openTls(way.port, world.authority.certificate);
    const head = "POST /v2/x HTTP/1.1\r\nHost: api.test\r\nContent-Length: 100000000\r\n\r\n";
    expect((await say(socket, head, "s".repeat(1_000_000))).text).toMatch(/^(?:HTTP\/1\.1 403|$)/);
    expect(site.connections()).toBe(0);
  });

  it("of a body whose sender waits for leave comes before the body", async () => {
    const answer = await ask(
      "POST /v2/x HTTP/1.1\r\nHost: api.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe("a rule for every method", () => {
  it.each([
    ["TRACE", get("/v1/x").replace("GET", "TRACE")],
    ["CONNECT", "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n"],
  ])("does not mean %s", async (_, text) => {
    expect(await ask(text, await world.wayTo(site))).toMatch(/^HTTP\/1\.1 403 [^]*refused-request-method/);
    expect(site.connections()).toBe(0);
  });
});

describe("a header that names another host", () => {
  it.each([
    "Forwarded: host=forbidden.test",
    "X-Forwarded-Host: forbidden.test",
    "x-forwarded-host: api.test",
    "X_Forwarded_Host: forbidden.test",
    "X-Forwarded-Server: forbidden.test",
    "X-Host: forbidden.test",
    "X-HTTP-Host-Override: forbidden.test",
    "X-Original-Host: forbidden.test",
    "X-Proxy-Url: http://forbidden.test/",
  ])("never crosses, whatever the rule allows: %s", async (line) => {
    const wide = await world.wayTo(site);
    expect(await ask(get("/v1/x", `api.test\r\n${line}`), wide)).toMatch(
      /^HTTP\/1\.1 403 [^]*refused-request-override/,
    );
    expect(wide.verdicts()).toEqual(["refused-request-override"]);
    expect(site.connections()).toBe(0);
  });
});

describe("headers that stand for another method or path", () => {
  it.each([
    "X-Envoy-Original-Path: /v2",
    "X-Forwarded-Method: DELETE",
    "X-Forwarded-Path: /v2",
    "X-Forwarded-Prefix: /v2",
    "X-Forwarded-Uri: /v2",
    "X_Forwarded-Uri: /v2",
    "X-HTTP-Method: DELETE",
    "X-HTTP-MethodOverride: DELETE",
    "X-HTTP-Path-Override: /v2",
    "X-Method-Override: DELETE",
    "X-Original-URL: /v2",
    "X-Override-URL: /v2",
    "X-Request-URI: /v2",
    "X-Rewrite-URL: /v2",
  ])("do not cross where the rule says which: %s", async (line) => {
    expect(await ask(get("/v1/x", `api.test\r\n${line}`))).toMatch(/^HTTP\/1\.1 403 [^]*refused-request-override/);
    expect(site.connections()).toBe(0);
  });

  it("cross where the rule allows every method and path", async () => {
    const wide = await world.wayTo(site);
    expect(await ask(get("/v1/x", "api.test\r\nX-HTTP-Method-Override: DELETE"), wide)).toMatch(/^HTTP\/1\.1 200/);
  });

  it("do not cross where only another rule of that host does", async () => {
    const rules = [{ methods: "any", paths: ["/v1/**"] } as const, { methods: ["GET"], paths: "any" } as const];
    const both = await world.kept(
      startWayOut({
        mode: (parts, limits) => serveVerified(parts, world.authority, limits),
        egress: rules.map((each) => verifiedRule([world.root.der], each)),
        name: "api.test",
        site: site.port,
      }),
    );
    expect(await ask(get("/v2/x"), both)).toMatch(/^HTTP\/1\.1 200/);
    expect(await ask(get("/v2/x", "api.test\r\nX-HTTP-Method-Override: DELETE"), both)).toMatch(/^HTTP\/1\.1 403/);
    expect(both.records.map(({ verdict, rule }) => [verdict, rule])).toContainEqual(["request-allowed", 1]);
  });
});
