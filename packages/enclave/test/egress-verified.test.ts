import { createSecureContext } from "node:tls";
import type { VerifiedEgress } from "@blindbox/manifest";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPlain, openTls, readAll, receive, say } from "./fixtures-egress/app.ts";
import { certify, certifyRoot, certifySite, type Identity } from "./fixtures-egress/certificates.ts";
import { helloFor, helloMessage, helloOfNode, record, serverName } from "./fixtures-egress/hello.ts";
import { type HttpSite, startHttpsSite } from "./fixtures-egress/sites.ts";
import { createWorld, get, lastGet, type World } from "./fixtures-egress/verified.ts";
import type { WayOut } from "./fixtures-egress/way-out.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => world.clear());

describe("an honest host", () => {
  let site: HttpSite;
  let way: WayOut;
  const prepare = async (): Promise<void> => {
    site = await world.kept(startHttpsSite(world.honest));
    way = await world.wayTo(site);
  };

  it("is asked what the application asks, and answers it", async () => {
    await prepare();
    expect(await world.ask(way, lastGet)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok/);
    expect(site.requests).toEqual(["GET /v1/x"]);
  });

  it("is told nothing of the connection but what is for it", async () => {
    await prepare();
    await world.ask(
      way,
      "POST /v1/x HTTP/1.1\r\nHost: API.Test.:443\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n" +
        "TE: trailers\r\nTrailer: X-T\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\n" +
        "Transfer-Encoding: chunked\r\nConnection: close, x-hop, Keep-Alive, content-length\r\n\r\n3;ext=1\r\nabc\r\n0\r\nX-T: secret\r\n\r\n",
    );
    const [head = []] = site.heads;
    expect(head.slice(0, -2)).toEqual([
      "host",
      "api.test:443",
      "connection",
      "keep-alive",
      "X-B",
      "1",
      "x-a",
      "2",
      "X-B",
      "3",
    ]);
    expect([
      ["content-length", "3"],
      ["transfer-encoding", "chunked"],
    ]).toContainEqual(head.slice(-2));
    expect(site.heard()).not.toMatch(/secret|ext=1/);
  });

  it("is spoken to on one connection for as long as the application keeps its own", async () => {
    await prepare();
    const socket = await openTls(way.port, world.authority.certificate);
    for (let at = 0; at < 3; at += 1) {
      const answered = receive(socket, /ok/);
      socket.write(get);
      await answered;
    }
    socket.destroy();
    expect(site.requests).toHaveLength(3);
    expect(site.connections()).toBe(1);
    const closed = await way.recorded("closed");
    expect(way.verdicts()).toEqual(["request-allowed", "connected", "request-allowed", "request-allowed", "closed"]);
    expect(closed).toMatchObject({
      rule: 0,
      host: "api.test",
      port: 443,
      mode: "verified",
      peer: world.honest.fingerprint,
    });
    expect(closed.sent).toBe(site.heard().length);
    expect(closed.received).toBeGreaterThan(3 * 50);
  });

  it("is never shared by two connections of the application", async () => {
    await prepare();
    const sockets = await Promise.all([1, 2].map(() => openTls(way.port, world.authority.certificate)));
    await Promise.all(
      sockets.map((socket) => {
        const answered = receive(socket, /ok/);
        socket.write(get);
        return answered;
      }),
    );
    expect(site.connections()).toBe(2);
    sockets.forEach((socket) => socket.destroy());
  });

  it("gets pipelined requests in order, one at a time", async () => {
    await prepare();
    const text = await world.ask(way, get.replace("x?y=1", "1") + get.replace("x?y=1", "2") + lastGet);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(site.requests).toEqual(["GET /v1/1", "GET /v1/2", "GET /v1/x"]);
    expect(site.connections()).toBe(1);
  });

  it("gets a body whose sender waited for leave", async () => {
    await prepare();
    const socket = await openTls(way.port, world.authority.certificate);
    const leave = receive(socket, /100 Continue\r\n\r\n/);
    socket.write("POST /v1/x HTTP/1.1\r\nHost: api.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    await leave;
    const answered = receive(socket, /ok/);
    socket.write("body");
    expect(await answered).toMatch(/^HTTP\/1\.1 200/);
    expect(site.heard()).toMatch(/body$/);
    expect(site.heard()).not.toMatch(/expect/i);
    socket.destroy();
  });

  it("answers for the name below a wildcard, which stands nowhere in the ledger", async () => {
    const wild = await world.kept(startHttpsSite(await certifySite(world.root, "secret.wild.test")));
    const wildWay = await world.wayTo(wild, { rule: { host: "*.wild.test" }, name: "secret.wild.test" });
    const socket = await openTls(wildWay.port, world.authority.certificate, { servername: "secret.wild.test" });
    const { text } = await say(socket, lastGet.replace("api.test", "secret.wild.test"));
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    await wildWay.recorded("closed");
    expect(JSON.stringify(wildWay.records)).not.toContain("secret");
  });
});

describe("an impostor hears nothing of the application", () => {
  type Make = () => Promise<Identity>;
  const impostors: readonly (readonly [string, Make, Partial<VerifiedEgress>, string])[] = [
    ["that signed itself", () => certify({ subject: "api.test", names: ["api.test"] }), {}, "self-signed"],
    ["that is another valid site", () => certifySite(world.root, "other.test"), {}, "name"],
    [
      "whose certificate is over",
      () =>
        certify({
          subject: "api.test",
          issuer: world.root,
          names: ["api.test"],
          notBefore: new Date(0),
          notAfter: new Date(1e12),
        }),
      {},
      "expired",
    ],
    ["of an untrusted authority", async () => certifySite(await certifyRoot("evil"), "api.test"), {}, "untrusted"],
    [
      "that lacks the pinned key",
      () => certifySite(world.root, "api.test"),
      { pins: [`sha256:${"0".repeat(64)}`] },
      "pin",
    ],
  ];

  it.each(impostors)("%s", async (_, make, rule, verdict) => {
    const identity = await make();
    const site = await world.kept(startHttpsSite(identity));
    const way = await world.wayTo(site, { rule });
    const text = await world.ask(
      way,
      "POST /v1/x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsecret",
    );
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).toContain(`refused-certificate-${verdict}`);
    expect([site.heard(), site.requests]).toEqual(["", []]);
    expect(way.records.at(-1)).toMatchObject({ verdict: `refused-certificate-${verdict}`, peer: identity.fingerprint });
    expect(way.verdicts()).not.toContain("connected");
  });

  it("that took the host's place between two requests", async () => {
    const impostor = await certify({ subject: "api.test", names: ["api.test"] });
    let identity = world.honest;
    const site = await world.kept(
      startHttpsSite(world.honest, (_, response) => void response.writeHead(200, { connection: "close" }).end("ok"), {
        SNICallback: (_, done) => done(null, createSecureContext({ key: identity.key, cert: identity.certificate })),
      }),
    );
    const way = await world.wayTo(site);
    const socket = await openTls(way.port, world.authority.certificate);
    const answered = receive(socket, /ok/);
    socket.write(get);
    await answered;
    identity = impostor;
    const refused = receive(socket, /refused-certificate-self-signed/);
    socket.write(get);
    expect(await refused).toMatch(/502/);
    expect(site.requests).toHaveLength(1);
    socket.destroy();
  });
});

describe("before TLS with the application begins", () => {
  it.each<[string, Buffer, string]>([
    ["another name", helloFor("other.test"), "refused-server-name"],
    ["a name below", helloFor("a.api.test"), "refused-server-name"],
    ["no name", record(helloMessage({})), "refused-server-name"],
    [
      "two names",
      record(helloMessage({ extensions: [serverName([0, "api.test"], [0, "other.test"])] })),
      "refused-server-name",
    ],
    [
      "ECH",
      record(helloMessage({ extensions: [serverName([0, "api.test"]), [0xfe0d, Buffer.alloc(9)]] })),
      "refused-encrypted-hello",
    ],
    ["plain HTTP", Buffer.from(get), "refused-hello"],
    ["the HTTP/2 preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "refused-hello"],
    ["PostgreSQL", Buffer.from("0000000804d2162f", "hex"), "refused-hello"],
  ])("a connection that says %s is reset", async (_, bytes, verdict) => {
    const site = await world.kept(startHttpsSite(world.honest));
    const way = await world.wayTo(site);
    const socket = await openPlain(way.port);
    const ending = readAll(socket);
    socket.write(bytes);
    expect(await ending).toEqual({ text: "", how: "reset" });
    expect(await way.recorded(verdict as "refused-hello")).toMatchObject({
      rule: 0,
      host: "api.test",
      port: 443,
      peer: null,
    });
    expect(site.connections()).toBe(0);
  });

  it("a connection that says nothing is reset", async () => {
    const site = await world.kept(startHttpsSite(world.honest));
    const way = await world.wayTo(site, { limits: { hello: 200 } });
    expect(await readAll(await openPlain(way.port))).toEqual({ text: "", how: "reset" });
    expect(way.verdicts()).toEqual(["refused-hello"]);
  });

  it("a ClientHello that nothing follows is reset", async () => {
    const site = await world.kept(startHttpsSite(world.honest));
    const way = await world.wayTo(site, { limits: { handshake: 200 } });
    const socket = await openPlain(way.port);
    const ending = readAll(socket);
    socket.write(await helloOfNode({ servername: "api.test" }));
    expect(await ending).toMatchObject({ how: "reset" });
    expect(way.verdicts()).toEqual(["refused-tls-app"]);
    expect(site.connections()).toBe(0);
  });

  it("an application that does not trust the box's authority gets nowhere", async () => {
    const site = await world.kept(startHttpsSite(world.honest));
    const way = await world.wayTo(site);
    await expect(openTls(way.port, world.root.certificate)).rejects.toThrow();
    await way.recorded("refused-tls-app");
    expect(site.connections()).toBe(0);
  });

  it("an application that speaks only HTTP/2 gets nowhere", async () => {
    const way = await world.wayTo(await world.kept(startHttpsSite(world.honest)));
    await expect(openTls(way.port, world.authority.certificate, { ALPNProtocols: ["h2"] })).rejects.toThrow();
    expect(await way.recorded("refused-tls-app")).toMatchObject({ sent: 0 });
  });

  it("an application that offers HTTP/2 first gets HTTP/1.1", async () => {
    const way = await world.wayTo(await world.kept(startHttpsSite(world.honest)));
    const socket = await openTls(way.port, world.authority.certificate, { ALPNProtocols: ["h2", "http/1.1"] });
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("an application may speak %s, in pieces of any size", async (maxVersion) => {
    const way = await world.wayTo(await world.kept(startHttpsSite(world.honest)));
    const socket = await openTls(way.port, world.authority.certificate, { maxVersion });
    expect((await say(socket, ...lastGet.split(""))).text).toMatch(/^HTTP\/1\.1 200/);
  });
});
