import type { HttpEgress } from "@blindbox/manifest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveHttp } from "../src/egress/modes/http.ts";
import { openPlain, readAll, say } from "./fixtures-egress/app.ts";
import { helloFor } from "./fixtures-egress/hello.ts";
import { type HttpSite, startHttpSite, startTcpSite } from "./fixtures-egress/sites.ts";
import { startWayOut, type WayOut } from "./fixtures-egress/way-out.ts";

const rule: HttpEgress = {
  mode: "http",
  host: "plain.test",
  ports: [80],
  methods: ["GET", "POST"],
  paths: ["/v1/**"],
  trusts: "network",
};

let site: HttpSite;
let way: WayOut;

beforeEach(async () => {
  site = await startHttpSite();
  way = await startWayOut({ mode: serveHttp, egress: [rule], name: "plain.test", site: site.port });
});
afterEach(async () => {
  await Promise.all([site.close(), way.close()]);
});

const get = (target: string, host = "plain.test"): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

const ask = async (text: string): Promise<string> => (await say(await openPlain(way.port), text)).text;

describe("plain HTTP", () => {
  it("goes to the host where the rule allows it", async () => {
    expect(await ask(get("/v1/x"))).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok/);
    expect(site.requests).toEqual(["GET /v1/x"]);
    await way.recorded("closed");
    expect(way.verdicts()).toEqual(["request-allowed", "connected", "closed"]);
    expect(way.records[2]).toMatchObject({ host: "plain.test", mode: "http", peer: null, sent: site.heard().length });
  });

  it("carries a body", async () => {
    const body = "Content-Length: 4\r\nConnection: close\r\n\r\nbody";
    expect(await ask(`POST /v1/x HTTP/1.1\r\nHost: plain.test:80\r\n${body}`)).toMatch(/^HTTP\/1\.1 200/);
    expect(site.heard()).toMatch(/^POST \/v1\/x HTTP\/1\.1\r\nhost: plain\.test:80\r\n[^]*\r\n\r\nbody$/);
  });

  it.each([
    ["another host", get("/v1/x", "other.test"), 421, "refused-request-host"],
    ["another path", get("/v2/x"), 403, "refused-request-path"],
    ["another method", get("/v1/x").replace("GET", "DELETE"), 403, "refused-request-method"],
    ["escaped dots", get("/v1/%2e%2e/x"), 400, "refused-request-target"],
    ["an absolute target", get("http://other.test/v1/x"), 400, "refused-request-target"],
    ["CONNECT", "CONNECT other.test:80 HTTP/1.1\r\nHost: plain.test\r\n\r\n", 403, "refused-request-method"],
    [
      "a WebSocket",
      "GET /v1/x HTTP/1.1\r\nHost: plain.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      403,
      "refused-upgrade",
    ],
    ["a ClientHello", helloFor("plain.test").toString("latin1"), 400, "refused-request-form"],
  ])("does not go anywhere with %s", async (_, text, status, verdict) => {
    expect(await ask(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*${verdict}`));
    expect(site.connections()).toBe(0);
    expect(way.verdicts()).toEqual([verdict]);
  });

  it.each([
    ["before the host is reached", "x\r\n"],
    ["behind a good one", "1\r\na\r\nx\r\n"],
  ])("is refused once for a malformed chunk %s", async (_, chunks) => {
    await ask(`POST /v1/x HTTP/1.1\r\nHost: plain.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    await way.recorded("closed");
    const refused = way.verdicts().filter((verdict) => verdict.startsWith("refused"));
    expect(refused).toEqual(["refused-request-form"]);
  });

  it("is reset where no request comes", async () => {
    await way.close();
    way = await startWayOut({
      mode: serveHttp,
      egress: [rule],
      name: "plain.test",
      site: site.port,
      limits: { head: 200 },
    });
    expect(await readAll(await openPlain(way.port))).toEqual({ text: "", how: "reset" });
    expect(way.verdicts()).toEqual(["refused-request-timeout"]);
  });

  it("gets no answer in the middle of which another could stand", async () => {
    await Promise.all([site.close(), way.close()]);
    const split = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
    const forger = await startTcpSite((socket) => void socket.once("data", () => socket.write(split)));
    way = await startWayOut({ mode: serveHttp, egress: [rule], name: "plain.test", site: forger.port });
    const text = await ask(get("/v1/1").replace("Connection: close\r\n", "") + get("/v1/2"));
    expect(text).not.toContain("forged");
    await forger.close();
  });
});
