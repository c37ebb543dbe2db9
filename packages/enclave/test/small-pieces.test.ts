/** Bodies in chunks of one byte: each would be a buffer of its own at every station, if nobody joined them. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { HttpEgress } from "@blindbox/manifest";
import type { Dispatcher } from "undici";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serveHttp } from "../src/egress/modes/http.ts";
import { egressLimits } from "../src/egress/modes/limits.ts";
import { Relay as EgressRelay } from "../src/egress/modes/requests/relay.ts";
import { gatewayLimits } from "../src/gateway/index.ts";
import { Relay as GatewayRelay } from "../src/gateway/relay.ts";
import { createRequestClass } from "../src/joined-request.ts";
import { Pieces } from "../src/pieces.ts";
import { Turns } from "../src/turns.ts";
import { startScriptedApp } from "./fake-app.ts";
import { openPlain, readAll } from "./fixtures-egress/app.ts";
import { startTcpSite } from "./fixtures-egress/sites.ts";
import { startWayOut } from "./fixtures-egress/way-out.ts";
import { startGateway } from "./gateway-fixture.ts";
import { openTls } from "./tls-caller.ts";

const open: { close(): Promise<void> }[] = [];

async function kept<T extends { close(): Promise<void> }>(started: Promise<T>): Promise<T> {
  const each = await started;
  open.push(each);
  return each;
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const count = 20_000;
/** Much below the 20,000 that come, much above what reads of a few KiB make of them. */
const few = 2_000;
const chunks = "1\r\na\r\n".repeat(count);
const head = "Transfer-Encoding: chunked\r\n\r\n";
const rule: HttpEgress = {
  mode: "http",
  host: "plain.test",
  ports: [80],
  methods: "any",
  paths: "any",
  trusts: "network",
};

/** The sizes of the chunks in `text`, which is a head and a chunked body. */
function chunkSizes(text: string): number[] {
  const sizes: number[] = [];
  for (let at = text.indexOf("\r\n\r\n") + 4; at < text.length; ) {
    const end = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, end), 16);
    sizes.push(size);
    at = end + size + 4;
  }
  return sizes;
}

function expectFewChunks(text: string): void {
  const sizes = chunkSizes(text);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
  expect(sizes.length).toBeLessThan(few);
}

/** Answers with what was sent to it, up to the end of a chunked body. */
async function heardBy(socket: Socket): Promise<string> {
  let text = "";
  for await (const bytes of socket) {
    text += (bytes as Buffer).toString("latin1");
    if (text.endsWith("\r\n0\r\n\r\n")) break;
  }
  return text;
}

describe("twenty thousand chunks of one byte", () => {
  it("reach the host in few", async () => {
    const heard = Promise.withResolvers<string>();
    const site = await kept(startTcpSite((socket) => heard.resolve(heardBy(socket))));
    const way = await kept(startWayOut({ mode: serveHttp, egress: [rule], name: "plain.test", site: site.port }));
    const socket = await openPlain(way.port);
    socket.write(`POST /x HTTP/1.1\r\nHost: plain.test\r\n${head}${chunks}0\r\n\r\n`);
    expectFewChunks(await heard.promise);
    socket.destroy();
  });

  it("of a host reach the application in few", async () => {
    const site = await kept(
      startTcpSite((socket) => void socket.write(`HTTP/1.1 200 OK\r\n${head}${chunks}0\r\n\r\n`)),
    );
    const way = await kept(startWayOut({ mode: serveHttp, egress: [rule], name: "plain.test", site: site.port }));
    const socket = await openPlain(way.port);
    const answer = readAll(socket);
    socket.write("GET /x HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n");
    expectFewChunks((await answer).text);
  });

  it("of a caller reach the application in few", async () => {
    const heard = Promise.withResolvers<string>();
    const app = await kept(startTcpSite((socket) => heard.resolve(heardBy(socket))));
    const box = await kept(startGateway({ appPort: app.port }));
    const socket = await openTls(box.port);
    socket.write(`POST /open/x HTTP/1.1\r\nHost: x\r\n${head}${chunks}0\r\n\r\n`);
    expectFewChunks(await heard.promise);
    socket.destroy();
  });

  it("of the application reach the caller in few", async () => {
    const app = await kept(startScriptedApp(`HTTP/1.1 200 OK\r\n${head}${chunks}0\r\n\r\n`, () => {}));
    const box = await kept(startGateway({ appPort: app.port }));
    const socket = await openTls(box.port);
    const answer = readAll(socket);
    socket.write("GET /open/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expectFewChunks((await answer).text);
  });
});

describe("a request that nobody reads", () => {
  async function startHolding(): Promise<{ socket: Socket; request: Promise<IncomingMessage> }> {
    const arrived = Promise.withResolvers<IncomingMessage>();
    const server = createServer({ IncomingMessage: createRequestClass() }, (request) => arrived.resolve(request));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = await openPlain((server.address() as AddressInfo).port);
    open.push({
      close: async () => {
        socket.destroy();
        server.close();
        server.closeAllConnections();
      },
    });
    return { socket: socket.setNoDelay(true), request: arrived.promise };
  }

  async function sizesIn(request: IncomingMessage): Promise<number[]> {
    const sizes: number[] = [];
    request.on("data", (bytes: Buffer) => sizes.push(bytes.length));
    await once(request, "end");
    return sizes;
  }

  it("holds few buffers of what came in one go", async () => {
    const { socket, request } = await startHolding();
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}${chunks}0\r\n\r\n`);
    await request;
    await new Promise((resolve) => setTimeout(resolve, 100));
    const sizes = await sizesIn(await request);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
    expect(sizes.length).toBeLessThan(few);
  });

  it("holds few buffers of what came byte by byte", async () => {
    const { socket, request } = await startHolding();
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}`);
    await request;
    for (let at = 0; at < 500; at += 1) {
      socket.write("1\r\na\r\n");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    socket.write("0\r\n\r\n");
    await expect.poll(async () => (await request).complete).toBe(true);
    const sizes = await sizesIn(await request);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(500);
    expect(sizes.length).toBeLessThan(10);
  });

  it("gives all that came while it was read and while it was not", async () => {
    const { socket, request } = await startHolding();
    const sent = Array.from({ length: 400 }, (_, at) =>
      String.fromCharCode(97 + (at % 26)).repeat(1 + ((at * 7919) % 9000)),
    );
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}`);
    for (const text of sent) socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
    socket.write("0\r\n\r\n");
    let text = "";
    for await (const bytes of await request) {
      text += (bytes as Buffer).toString("latin1");
      if (text.length % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(text).toBe(sent.join(""));
  });
});

type Handler = Pick<Required<Dispatcher.DispatchHandler>, "onRequestStart" | "onResponseStart" | "onResponseData">;

const relays: readonly (readonly [where: string, create: (response: ServerResponse) => Handler])[] = [
  ["a host", (response) => new EgressRelay({ response, limits: egressLimits, onRefusal: () => {} })],
  [
    "the application",
    (response) =>
      new GatewayRelay({
        response,
        draining: () => false,
        appLives: () => true,
        limits: { ...gatewayLimits, answerBytes: 1_000_000_000 },
        onProblem: () => {},
      }),
  ],
];

describe.each(relays)("an answer of %s that nobody takes", (_, create) => {
  /** Behind an answer that never comes, so that nothing of it leaves. */
  async function startBehind(): Promise<ServerResponse> {
    const second = Promise.withResolvers<ServerResponse>();
    const server = createServer((request, response) => request.url === "/2" && second.resolve(response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = await openPlain((server.address() as AddressInfo).port);
    open.push({ close: async () => server.close().closeAllConnections() });
    socket.write("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    return second.promise;
  }

  it.each([
    ["in one go", 100_000, 1],
    ["byte by byte", 1, 2_000],
  ])("is held in few buffers when it comes %s", async (_how, atOnce, rounds) => {
    const response = await startBehind();
    const write = vi.spyOn(response, "write");
    const state = { isPaused: false };
    const controller = {
      rawHeaders: ["transfer-encoding", "chunked"].map((text) => Buffer.from(text)),
      pause: () => (state.isPaused = true),
      resume: () => (state.isPaused = false),
      abort: () => {},
    } as unknown as Dispatcher.DispatchController;
    const relay = create(response);
    relay.onRequestStart(controller, {});
    relay.onResponseStart(controller, 200, {});
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < atOnce && !state.isPaused; at += 1) relay.onResponseData(controller, Buffer.from("a"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(write.mock.calls.length).toBeLessThan(50);
  });
});

describe("pieces", () => {
  it("keep their bytes and their order, large ones between small ones", () => {
    const pieces = new Pieces();
    const all = [1, 4095, 2, 5000, 3, 4096, 70_000, 1].map((size, at) => Buffer.alloc(size, at));
    for (const each of all) pieces.add(each);
    expect(pieces.bytes).toBe(83_198);
    expect(Buffer.concat(pieces.take()).equals(Buffer.concat(all))).toBe(true);
    expect([pieces.bytes, pieces.take().length]).toEqual([0, 0]);
  });

  it("do not hold on to the read that a small one came in", () => {
    const pieces = new Pieces();
    const read = Buffer.alloc(65_536, 1);
    pieces.add(read.subarray(5, 6));
    expect(pieces.take().map(({ buffer }) => buffer.byteLength < 5_000)).toEqual([true]);
  });
});

describe("turns", () => {
  it("are few in a round, in the order in which they were asked for", async () => {
    const turns = new Turns(2);
    const gone: number[] = [];
    for (let at = 0; at < 5; at += 1) turns.wait(() => gone.push(at));
    const rounds: number[][] = [];
    for (let round = 0; round < 3; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      rounds.push([...gone]);
    }
    expect(rounds).toEqual([
      [0, 1],
      [0, 1, 2, 3],
      [0, 1, 2, 3, 4],
    ]);
  });
});
