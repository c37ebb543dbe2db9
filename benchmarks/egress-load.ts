/**
 * The application of the egress benchmark, the same program wherever it runs: goes out over TLS as it is told, by a line
 * of JSON on standard input, or by a POST to port 80 where it is told `serve`. Needs nothing but Node.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";

/** What to do, how often and where. `connections`: so many new ones. `down`, `up`: so many bytes over one connection. */
export interface Order {
  readonly what: "connections" | "requests" | "down" | "up";
  readonly count: number;
  /** Connections that are open at once. */
  readonly atOnce: number;
  readonly host: string;
  /** Port of a proxy on 127.0.0.1 that is asked by CONNECT; null: none. */
  readonly proxy: number | null;
  /** PEM of the only authority that is trusted. */
  readonly authority: string;
}

const port = 443;
const contexts = new Map<string, SecureContext>();

/** Milliseconds that it took. */
async function carryOut(order: Order): Promise<number> {
  const prepared = order.what === "connections" ? [] : await openAll(order);
  const started = performance.now();
  if (order.what === "connections") await openInTurn(order);
  else await Promise.all(prepared.map((socket) => use(socket, order)));
  const taken = performance.now() - started;
  for (const socket of prepared) socket.destroy();
  return taken;
}

async function openAll(order: Order): Promise<TLSSocket[]> {
  const sockets = await Promise.all(Array.from({ length: order.atOnce }, () => open(order)));
  // The way to the host is opened by the first request.
  for (const socket of sockets) await exchange(socket, head("GET", order.host, "/"));
  return sockets;
}

async function openInTurn(order: Order): Promise<void> {
  let left = order.count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const socket = await open(order);
      await exchange(socket, head("GET", order.host, "/"));
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, one));
}

async function use(socket: TLSSocket, { what, count, atOnce, host }: Order): Promise<void> {
  const share = count / atOnce;
  if (what === "down") return exchange(socket, head("GET", host, `/${share}`));
  if (what === "up") return upload(socket, host, share);
  for (let sent = 0; sent < share; sent += 1) await exchange(socket, head("GET", host, "/"));
}

/** A TLS connection whose other end proved to be the host; the name is looked up anew each time, as programs do. */
async function open({ host, proxy, authority }: Order): Promise<TLSSocket> {
  const context = contexts.get(authority) ?? createSecureContext({ ca: authority, minVersion: "TLSv1.3" });
  contexts.set(authority, context);
  const way = proxy === null ? { host, port } : { socket: await openTunnel(proxy, host) };
  const socket = connect({ ...way, servername: host, secureContext: context, ALPNProtocols: ["http/1.1"] });
  socket.setNoDelay(true);
  await settled(socket, "secureConnect");
  return socket;
}

async function openTunnel(proxy: number, host: string): Promise<Socket> {
  const socket = connectTcp({ host: "127.0.0.1", port: proxy, noDelay: true });
  await settled(socket, "connect");
  socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nhost: ${host}:${port}\r\n\r\n`);
  const answer = await settled(socket, "data");
  socket.pause();
  if (!/^HTTP\/1\.1 200 [^]*\r\n\r\n$/.test(String(answer))) throw new Error("the proxy refused");
  return socket;
}

async function settled(socket: Socket, event: string): Promise<unknown> {
  const done = Promise.withResolvers<unknown>();
  const broken = (): void => done.reject(new Error(`a connection was closed before ${event}`));
  socket.once(event, done.resolve).once("error", done.reject).once("close", broken);
  try {
    return await done.promise;
  } finally {
    socket.off(event, done.resolve).off("error", done.reject).off("close", broken);
  }
}

function head(method: string, host: string, path: string, ...more: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, `host: ${host}`, ...more, "", ""].join("\r\n");
}

const block = Buffer.alloc(65_536, "x");

async function upload(socket: TLSSocket, host: string, bytes: number): Promise<void> {
  const answered = exchange(socket, head("POST", host, "/", `content-length: ${bytes}`));
  for (let left = bytes; left > 0; left -= block.length) {
    if (!socket.write(left < block.length ? block.subarray(0, left) : block)) {
      await Promise.race([settled(socket, "drain"), answered]);
    }
  }
  return answered;
}

/** Writes, and reads one answer, whose length must be told, to its last byte. */
function exchange(socket: TLSSocket, text: string): Promise<void> {
  const done = Promise.withResolvers<void>();
  let start = "";
  let left = Number.NaN;
  const onData = (chunk: Buffer): void => {
    if (Number.isNaN(left)) {
      start += chunk.toString("latin1");
      const end = start.indexOf("\r\n\r\n");
      if (end === -1) return;
      if (!start.startsWith("HTTP/1.1 200 ")) return done.reject(new Error(`answered: ${start.slice(0, 300)}`));
      left = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(start)?.[1]) - (start.length - end - 4);
    } else {
      left -= chunk.length;
    }
    if (left === 0) done.resolve();
  };
  const onClose = (): void => done.reject(new Error("a connection was closed before its answer"));
  socket.on("data", onData).on("error", done.reject).on("close", onClose);
  socket.write(text);
  return done.promise.finally(() => socket.off("data", onData).off("error", done.reject).off("close", onClose));
}

async function answer(text: string): Promise<object> {
  try {
    return { taken: await carryOut(JSON.parse(text) as Order) };
  } catch (error) {
    return { failed: String(error) };
  }
}

function serve(): void {
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: string[] = await request.setEncoding("utf8").toArray();
    response.end(JSON.stringify(await answer(parts.join(""))));
  };
  createServer((request, response) => void take(request, response)).listen(80, "0.0.0.0");
}

async function obey(): Promise<void> {
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
  for await (const line of createInterface(process.stdin)) {
    const { id, argument } = JSON.parse(line) as { id: number; argument: string };
    process.stdout.write(`${JSON.stringify({ id, result: await answer(argument) })}\n`);
  }
}

if (process.argv[2] === "serve") serve();
else await obey();
