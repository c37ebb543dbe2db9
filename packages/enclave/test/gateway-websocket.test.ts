/** WebSockets of callers: only where a rule says so, only after the handshake of RFC 6455, and within the rule's bounds. */
import { hash } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Limits } from "@blindbox/manifest";
import { afterEach, describe, expect, it, test } from "vitest";
import { aliceKey, bobKey, digestOf, type Fixture, startGateway, wide } from "./gateway-fixture.ts";
import { openTls, readUntilClosed, receive } from "./tls-caller.ts";

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = hash("sha1", `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, "base64");
const agreement = (extra = "", value = accept): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${value}\r\n${extra}\r\n`;

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

interface App {
  readonly port: number;
  /** Everything that any connection brought, as text. */
  readonly seen: string[];
}

/** An application that says `answer` to the first bytes of a connection, and then whatever it hears. */
async function startApp(answer: string, then: (socket: Socket) => void = echo): Promise<App> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("data", (chunk) => seen.push(chunk.toString("latin1")));
    socket.once("data", () => {
      socket.write(answer);
      then(socket);
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  opened.push({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function echo(socket: Socket): void {
  socket.on("data", (chunk: Buffer) => socket.write(chunk));
}

async function boxBefore(app: App, limits: Partial<Limits> = {}): Promise<Fixture> {
  const principals = [
    { id: "alice", apiKey: digestOf(aliceKey), audit: true },
    { id: "bob", apiKey: digestOf(bobKey), audit: false },
  ];
  const rule = { methods: ["GET" as const], path: "/ws", limits: { ...wide, ...limits }, audit: true };
  const rules = [
    { ...rule, allow: ["alice"], upgrade: "websocket" as const },
    { ...rule, allow: ["bob"], upgrade: "none" as const },
  ];
  const box = await startGateway({ appPort: app.port, access: { principals, rules } });
  opened.push(box);
  return box;
}

interface Asked {
  readonly key?: string | null;
  readonly path?: string;
  readonly lines?: string;
  readonly behind?: string;
  readonly first?: string;
}

function opening({ key: by = aliceKey, path = "/ws", lines, behind = "" }: Asked): string {
  const authorization = by === null ? "" : `Authorization: Bearer ${by}\r\n`;
  const usual = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${authorization}${lines ?? usual}\r\n${behind}`;
}

async function statusOf(box: Fixture, asked: Asked): Promise<string> {
  const socket = await openTls(box.port);
  const received = readUntilClosed(socket);
  socket.write(opening(asked));
  return (await received).slice(9, 12);
}

describe("a WebSocket that a rule allows", () => {
  it("carries bytes both ways, with the caller's name and without its key", async () => {
    const app = await startApp(agreement());
    const box = await boxBefore(app);
    const socket = await openTls(box.port);
    const agreed = receive(socket, "\r\n\r\n");
    socket.write(opening({}));
    expect(await agreed).toMatch(/^HTTP\/1\.1 101 /);
    const heard = receive(socket, "hello");
    socket.write("hello");
    expect(await heard).toContain("hello");
    socket.end();
    await expect.poll(() => box.accessLog.document()).toContain('"outcome":"answered"');
    expect(JSON.parse(box.accessLog.document())).toMatchObject({
      records: [{ principal: "alice", method: "GET", path: "/ws", status: 101, received: 5, sent: 5 }],
    });
    expect(app.seen[0]).toContain("x-blindbox-principal: alice");
    expect(app.seen.join("")).not.toContain("bb_");
  });

  it("lives as long as the rule's time, and no longer", async () => {
    const box = await boxBefore(await startApp(agreement()), { time: 1 });
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    socket.write(opening({}));
    expect(await received).toMatch(/^HTTP\/1\.1 101 /);
  });

  it("is cut at the bytes that the rule grants", async () => {
    const flood = (socket: Socket): void => void socket.write(Buffer.alloc(300_000, "x"));
    const box = await boxBefore(await startApp(agreement(), flood), { response: 100_000 });
    const socket = await openTls(box.port);
    const received = readUntilClosed(socket);
    socket.write(opening({}));
    expect((await received).length).toBeLessThan(300_000);
  });

  it("counts as one request at once until it is over", async () => {
    const box = await boxBefore(await startApp(agreement()), { concurrent: 1 });
    const socket = await openTls(box.port);
    const agreed = receive(socket, "\r\n\r\n");
    socket.write(opening({}));
    await agreed;
    expect(await statusOf(box, {})).toBe("429");
    socket.destroy();
    const again = async (): Promise<string> => {
      const next = await openTls(box.port);
      const answered = receive(next, "\r\n\r\n");
      next.write(opening({}));
      const status = (await answered).slice(9, 12);
      next.destroy();
      return status;
    };
    await expect.poll(again).toBe("101");
  });
});

const refused: readonly (readonly [string, Asked, string])[] = [
  ["by a caller whose rule has no upgrade", { key: bobKey }, "403"],
  ["by nobody", { key: null }, "401"],
  ["at a path that no rule names", { path: "/other" }, "403"],
  ["at a path of the box's own", { path: "/.well-known/blindbox/attestation" }, "501"],
  ["at a target with a dot segment", { path: "/x/../ws" }, "400"],
  ["to another protocol", { lines: "Upgrade: h2c\r\nConnection: Upgrade\r\n" }, "501"],
  ["to two protocols", { lines: "Upgrade: websocket\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" }, "501"],
  ["without a key", { lines: "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" }, "501"],
  ["with bytes behind it", { behind: "GET / HTTP/1.1\r\n\r\n" }, "501"],
];

describe("a WebSocket is refused, and the application sees nothing,", () => {
  test.each(refused)("%s", async (_what, asked, status) => {
    const app = await startApp(agreement());
    const box = await boxBefore(app);
    expect(await statusOf(box, asked)).toBe(status);
    expect(app.seen).toEqual([]);
  });
});

describe("a WebSocket that the application does not answer", () => {
  it("ends with the rule's time, and holds no claim for a caller who left", async () => {
    const app = await startApp("", () => {});
    const box = await boxBefore(app, { time: 1, concurrent: 1 });
    expect(await statusOf(box, {})).toBe("504");
    const socket = await openTls(box.port);
    socket.write(opening({}));
    await expect.poll(() => app.seen.length).toBe(2);
    socket.destroy();
    await expect.poll(() => statusOf(box, {}), { timeout: 5000 }).toBe("504");
    const outcomes = (JSON.parse(box.accessLog.document()) as { records: { outcome: string }[] }).records;
    expect(outcomes.map(({ outcome }) => outcome)).toContain("broken");
  });

  it("that is cut is not written down as one that was answered", async () => {
    const flood = (socket: Socket): void => void socket.write(Buffer.alloc(300_000, "x"));
    const box = await boxBefore(await startApp(agreement(), flood), { response: 100_000 });
    const socket = await openTls(box.port);
    const closed = readUntilClosed(socket);
    socket.write(opening({}));
    await closed;
    await expect.poll(() => box.accessLog.document()).toContain('"outcome":"answer-too-large"');
  });
});

describe("an application that does not agree as RFC 6455 says gets no connection to the caller:", () => {
  test.each([
    ["a wrong accept", agreement("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
    ["a protocol that was not offered", agreement("Sec-WebSocket-Protocol: evil\r\n")],
    ["an extension that was not offered", agreement("Sec-WebSocket-Extensions: evil\r\n")],
    ["a plain answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
    ["another switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"],
  ])("%s", async (_what, answer) => {
    const box = await boxBefore(await startApp(answer));
    expect(await statusOf(box, {})).toBe("502");
  });
});
