/** Both ends at work to fill the box: one sends bodies in chunks of one byte, the other takes nothing. */
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { HttpEgress } from "@blindbox/manifest";
import { afterEach, describe, expect, it } from "vitest";
import { serveHttp } from "../src/egress/modes/http.ts";
import { openPlain } from "./fixtures-egress/app.ts";
import { startTcpSite } from "./fixtures-egress/sites.ts";
import { startWayOut } from "./fixtures-egress/way-out.ts";
import { startGateway } from "./gateway-fixture.ts";
import { openTls } from "./tls-caller.ts";

const MB = 1_000_000;
const connections = 20;
/** Of 64 KiB in all and each: some 15 MB; as buffers of one byte each, several hundred. */
const bound = 80 * MB;

const chunks = Buffer.from("1\r\na\r\n".repeat(4000));
const get = "GET /open/x HTTP/1.1\r\nHost: api.test\r\n\r\n";
const post = "POST /open/x HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n";
const rule: HttpEgress = {
  mode: "http",
  host: "api.test",
  ports: [80],
  methods: "any",
  paths: "any",
  trusts: "network",
};

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function inUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const open: { close(): Promise<void> }[] = [];

async function kept<T extends { close(): Promise<void> }>(started: Promise<T>): Promise<T> {
  const each = await started;
  open.push(each);
  return each;
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

let written = 0;

/** Writes chunks without end, as fast as `socket` takes them. */
function flood(socket: Socket): void {
  written += chunks.length;
  if (socket.destroyed) return;
  if (socket.write(chunks)) setImmediate(() => flood(socket));
  else socket.once("drain", () => flood(socket));
}

/** Resolves once nobody takes any more, with the bytes of memory that came in use since. */
async function grownWhile(start: () => Promise<void>): Promise<number> {
  const before = inUse();
  await start();
  for (let last = -1; last !== written; ) {
    last = written;
    await pause(400);
  }
  return inUse() - before;
}

async function openAll(ask: string, opened: () => Promise<Socket>, then: (socket: Socket) => void): Promise<void> {
  for (let at = 0; at < connections; at += 1) {
    const socket = await opened();
    socket.pause().write(ask);
    open.push({ close: async () => void socket.destroy() });
    then(socket);
  }
}

describe("chunks of one byte that nobody takes cost little memory", () => {
  it("on their way from the application to a host that has yet to answer another request", async () => {
    const site = await kept(startTcpSite((socket) => void socket.resume()));
    const way = await kept(startWayOut({ mode: serveHttp, egress: [rule], name: "api.test", site: site.port }));
    expect(await grownWhile(() => openAll(get + post, () => openPlain(way.port), flood))).toBeLessThan(bound);
  });

  it("on their way from a caller to an application that is not there yet", async () => {
    const dial = (): Promise<Socket> => new Promise(() => {});
    const box = await kept(startGateway({ appPort: 0, dial, limits: { dial: 60_000 } }));
    expect(await grownWhile(() => openAll(post, () => openTls(box.port), flood))).toBeLessThan(bound);
  });
});
