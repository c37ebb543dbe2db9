import { createHash } from "node:crypto";
import type { RequestListener } from "node:http";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { openTls, receive } from "./fixtures-egress/app.ts";
import { type HttpSite, startHttpsSite } from "./fixtures-egress/sites.ts";
import { createWorld, type World } from "./fixtures-egress/verified.ts";
import type { WayOut } from "./fixtures-egress/way-out.ts";

const MB = 1_000_000;
let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => world.clear());

async function start(answer: RequestListener): Promise<{ site: HttpSite; way: WayOut }> {
  const site = await world.kept(startHttpsSite(world.honest, answer));
  return { site, way: await world.wayTo(site) };
}

/** As many bytes as told, each piece different. */
function* pieces(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += 64_000) yield Buffer.alloc(Math.min(64_000, bytes - at), at / 64_000);
}

function digestOf(bytes: number): string {
  const hash = createHash("sha256");
  for (const piece of pieces(bytes)) hash.update(piece);
  return hash.digest("hex");
}

async function digestAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes of memory of this process, which holds application, box and host: without garbage, as far as that can be said. */
function resident(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

/** Resolves with what `count` says once it says the same for a while. */
async function settled(count: () => number): Promise<number> {
  for (let last = -1; last !== count(); ) {
    last = count();
    await pause(400);
  }
  return count();
}

function post(way: WayOut, body: Readable, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      port: way.port,
      host: "127.0.0.1",
      servername: "api.test",
      ca: world.authority.certificate,
      method: "POST",
      path: "/v1/x",
      headers: { host: "api.test", ...headers },
      agent: false,
    });
    request.once("error", reject).once("response", (response) => void digestAll(response).then(resolve, reject));
    body.pipe(request);
  });
}

const TOTAL = 300 * MB;

describe("streams", () => {
  it.each([
    ["with a length", { "content-length": String(TOTAL) }],
    ["in chunks", {}],
  ])("of 300 MB cross both ways at once, %s, in little memory", { timeout: 60_000 }, async (_, headers) => {
    const { way } = await start((request, response) => void request.pipe(response));
    const body = Readable.from(pieces(TOTAL));
    const sizes: number[] = [];
    let passed = 0;
    body.on("data", (chunk: Buffer) => {
      passed += chunk.length;
      // Now and then: looking takes long.
      if (passed % (30 * MB) < chunk.length) sizes.push(resident());
    });
    expect(await post(way, body, headers)).toBe(digestOf(TOTAL));
    const [, first = 0, ...others] = sizes;
    // Of both ends and the box between them, in one process, whose garbage waits where the machine is busy.
    expect(Math.max(...others) - first).toBeLessThan(TOTAL / 2);
    const closed = await way.recorded("closed");
    expect(Math.min(closed.sent, closed.received)).toBeGreaterThan(TOTAL);
    expect(Math.max(closed.sent, closed.received)).toBeLessThan(TOTAL + MB);
  });

  it("wait for an application that reads slowly", async () => {
    let written = 0;
    const { way } = await start((_, response) => {
      const body = Readable.from(pieces(200 * MB)).on("data", (chunk: Buffer) => (written += chunk.length));
      body.pipe(response);
    });
    const socket = await openTls(way.port, world.authority.certificate);
    socket.write("GET /v1/x HTTP/1.1\r\nHost: api.test\r\n\r\n");
    await receive(socket, "200 OK");
    socket.pause();
    expect(await settled(() => written)).toBeLessThan(40 * MB);
    socket.destroy();
  });

  it("wait for a host that reads slowly", async () => {
    let sent = 0;
    const { way } = await start((request) => void request.pause());
    const body = Readable.from(pieces(200 * MB)).on("data", (chunk: Buffer) => (sent += chunk.length));
    const failed = post(way, body).catch(() => "cut");
    await way.recorded("connected");
    expect(await settled(() => sent)).toBeLessThan(40 * MB);
    await way.close();
    expect(await failed).toBe("cut");
  });

  it("of events arrive one by one, and the head before the first", async () => {
    const { way } = await start((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      setTimeout(() => response.write("data: 1\n\n"), 100);
    });
    const socket = await openTls(way.port, world.authority.certificate);
    const head = receive(socket, "\r\n\r\n");
    socket.write("GET /v1/x HTTP/1.1\r\nHost: api.test\r\n\r\n");
    expect(await head).not.toContain("data:");
    expect(await receive(socket, "data: 1\n\n")).toContain("data: 1");
    socket.destroy();
  });

  it("are kept apart on hundred connections at once", async () => {
    const { site, way } = await start((request, response) => void request.pipe(response));
    const sizes = Array.from({ length: 100 }, (_, at) => 1000 + at * 997);
    const digests = await Promise.all(sizes.map((size) => post(way, Readable.from(pieces(size)))));
    expect(digests).toEqual(sizes.map(digestOf));
    expect(site.connections()).toBe(100);
  });
});
