/** What fails once a request is under way: neither end takes for whole what was cut, and nobody waits for ever. */
import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPlain, openTls, readAll, say } from "./fixtures-egress/app.ts";
import { startHttpsSite, startTcpSite, startTlsSite } from "./fixtures-egress/sites.ts";
import { createWorld, get, lastGet, type World } from "./fixtures-egress/verified.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => world.clear());

describe("a host that fails", () => {
  it("to be reached is a 502", async () => {
    const way = await world.wayTo(null);
    expect(await world.ask(way, lastGet)).toMatch(/^HTTP\/1\.1 502 [^]*refused-unreachable/);
    expect(way.verdicts()).toEqual(["request-allowed", "refused-unreachable"]);
  });

  it("to answer in time is a 502, though it sends interim answers", async () => {
    const site = await world.kept(
      startTlsSite(world.honest, (socket) => {
        const timer = setInterval(() => socket.write("HTTP/1.1 102 Processing\r\n\r\n"), 50);
        socket.once("close", () => clearInterval(timer));
      }),
    );
    const way = await world.wayTo(site, { limits: { answer: 300, interimAnswers: 1000 } });
    expect(await world.ask(way, lastGet)).toMatch(/^HTTP\/1\.1 502 [^]*refused-upstream-timeout/);
    expect(await way.recorded("refused-upstream-timeout")).toMatchObject({ peer: world.honest.fingerprint });
  });

  it.each<[string, string]>([
    ["no HTTP", "SSH-2.0-x\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a coding besides chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"],
    ["interim answers without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50)],
  ])("by answering %s is a 502", async (_, answer) => {
    const site = await world.kept(
      startTlsSite(world.honest, (socket) => void socket.once("data", () => socket.write(answer))),
    );
    const way = await world.wayTo(site);
    expect(await world.ask(way, lastGet)).toMatch(/^HTTP\/1\.1 502 [^]*refused-answer/);
    expect(way.verdicts()).toContain("refused-answer");
  });

  it.each<[string, string]>([
    ["inside its length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
    ["inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"],
    ["before the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
  ])("by hanging up %s leaves the application with no whole answer", async (_, answer) => {
    const site = await world.kept(
      startTlsSite(world.honest, (socket) => void socket.once("data", () => socket.end(answer))),
    );
    const way = await world.wayTo(site);
    const failed = new Promise((resolve) => {
      const request = httpsRequest({
        port: way.port,
        host: "127.0.0.1",
        servername: "api.test",
        ca: world.authority.certificate,
        headers: { host: "api.test" },
      });
      request.once("response", (response) => {
        response
          .resume()
          .once("error", resolve)
          .once("end", () => resolve("whole"));
      });
      request.once("error", resolve).end();
    });
    expect(await failed).not.toBe("whole");
    expect(way.verdicts()).toContain("refused-answer");
  });

  it("to say how long its answer is gives it to the application in the same form", async () => {
    const site = await world.kept(
      startTlsSite(
        world.honest,
        (socket) =>
          void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nAlt-Svc: h3\r\nX-A: b\r\n\r\nuntil the end")),
      ),
    );
    const text = await world.ask(await world.wayTo(site), get);
    expect(text).toBe("HTTP/1.1 200 OK\r\nX-A: b\r\nConnection: close\r\n\r\nuntil the end");
  });

  it.each<[string, string, string]>([
    ["HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"],
    ["204", "GET", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["304", "GET", 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'],
  ])("has no body to give after %s, and the connection goes on", async (_, method, answer) => {
    const site = await world.kept(
      startTlsSite(world.honest, (socket) => void socket.on("data", () => socket.write(answer))),
    );
    const text = await world.ask(
      await world.wayTo(site),
      `${get.replace("GET", method)}${lastGet.replace("GET", method)}`,
    );
    expect(text.match(/HTTP\/1\.1 [23]0[04]/g)).toHaveLength(2);
    expect(text).not.toContain("chunked");
  });
});

describe("an application that fails", () => {
  it("to finish a head is cut, though a byte comes now and then", async () => {
    const site = await world.kept(startHttpsSite(world.honest));
    const way = await world.wayTo(site, { limits: { head: 300 } });
    const socket = await openTls(way.port, world.authority.certificate);
    const ending = readAll(socket);
    socket.write("GET /v1/x HTTP/1.1\r\nHost: api.test\r\nX-Slow: ");
    const timer = setInterval(() => socket.write("a"), 30);
    expect(await ending).toMatchObject({ text: "" });
    clearInterval(timer);
    expect(way.verdicts()).toEqual(["refused-request-timeout"]);
    expect(site.connections()).toBe(0);
  });

  it("to finish a head after an answer is cut too", async () => {
    const site = await world.kept(startHttpsSite(world.honest));
    const way = await world.wayTo(site, { limits: { head: 400 } });
    const socket = await openTls(way.port, world.authority.certificate);
    const ending = readAll(socket);
    socket.write(`${get}GET /v1/secret HTTP/1.1\r\nX-Slow: `);
    const timer = setInterval(() => socket.write("a"), 30);
    expect((await ending).text).toMatch(/^HTTP\/1\.1 200/);
    clearInterval(timer);
    expect(site.requests).toEqual(["GET /v1/x?y=1"]);
    expect(way.verdicts()).toContain("refused-request-timeout");
  });

  it("to finish a body is answered, and the host hears that it broke off", async () => {
    const ended = Promise.withResolvers<boolean>();
    const site = await world.kept(
      startHttpsSite(
        world.honest,
        (request) => void request.resume().once("close", () => ended.resolve(request.complete)),
      ),
    );
    const way = await world.wayTo(site, { limits: { bodyPause: 200 } });
    const text = await world.ask(way, "POST /v1/x HTTP/1.1\r\nHost: api.test\r\nContent-Length: 10\r\n\r\nabc");
    expect(text).toMatch(/^HTTP\/1\.1 400 [^]*refused-request-timeout/);
    expect(await ended.promise).toBe(false);
  });

  it.each(["destroy", "resetAndDestroy"] as const)(
    "by %s in the middle of a body takes its connection to the host along",
    async (how) => {
      const ended = Promise.withResolvers<boolean>();
      const arrived = Promise.withResolvers<void>();
      const site = await world.kept(
        startHttpsSite(world.honest, (request) => {
          request.once("data", () => arrived.resolve()).on("error", () => {});
          request.once("close", () => ended.resolve(request.complete));
        }),
      );
      const way = await world.wayTo(site);
      const plain = await openPlain(way.port);
      const socket = await openTls(way.port, world.authority.certificate, { socket: plain });
      socket.write("POST /v1/x HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
      await arrived.promise;
      plain[how]();
      expect(await ended.promise).toBe(false);
      expect((await way.recorded("closed")).sent).toBeGreaterThan(0);
    },
  );

  it("to come back takes its idle connection to the host along", async () => {
    const site = await world.kept(startHttpsSite(world.honest));
    const way = await world.wayTo(site, { limits: { upstreamIdle: 600_000 } });
    expect(await world.ask(way, lastGet)).toMatch(/^HTTP\/1\.1 200/);
    expect(await way.recorded("closed")).toMatchObject({ peer: world.honest.fingerprint });
  });

  it("while the host is being reached leaves no connection behind", async () => {
    const site = await world.kept(startTcpSite((socket) => void socket.resume()));
    const way = await world.wayTo(site, { limits: { upstreamHandshake: 300 } });
    const socket = await openTls(way.port, world.authority.certificate);
    socket.write(get);
    await way.recorded("request-allowed");
    socket.destroy();
    await once(socket, "close");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(site.heard()).not.toContain("GET");
    expect(way.verdicts()).not.toContain("connected");
  });

  it("to await answers is cut at seventeen requests", async () => {
    const site = await world.kept(startHttpsSite(world.honest, () => {}));
    const way = await world.wayTo(site);
    const socket = await openTls(way.port, world.authority.certificate);
    expect(await say(socket, get.repeat(20))).toMatchObject({ text: "" });
    await way.recorded("closed");
    expect(site.requests.length).toBeLessThanOrEqual(1);
  });
});
