/** ClientHellos: made by hand from their parts, and taken from real TLS stacks. */
import { spawn, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";

export interface HelloParts {
  readonly version: number;
  readonly session: Buffer;
  readonly suites: Buffer;
  readonly compression: Buffer;
  readonly extensions: readonly Extension[];
  /** Behind the extensions. */
  readonly tail: Buffer;
}

export type Extension = readonly [type: number, data: Buffer];

const plain: HelloParts = {
  version: 0x0303,
  session: Buffer.alloc(32, 7),
  suites: Buffer.from("13011302c02b", "hex"),
  compression: Buffer.from([0]),
  extensions: [],
  tail: Buffer.alloc(0),
};

/** The handshake message of a ClientHello, header and all. */
export function helloMessage(parts: Partial<HelloParts>): Buffer {
  const { version, session, suites, compression, extensions, tail } = { ...plain, ...parts };
  const all = Buffer.concat(extensions.map(([type, data]) => Buffer.concat([u16(type), vector16(data)])));
  const random = Buffer.alloc(32, 9);
  const head = Buffer.concat([u16(version), random, vector8(session), vector16(suites), vector8(compression)]);
  const body = Buffer.concat([head, vector16(all), tail]);
  return Buffer.concat([Buffer.from([1]), u24(body.length), body]);
}

/** The extension with these entries: `[type, name]`. */
export function serverName(...entries: readonly (readonly [type: number, name: string | Buffer])[]): Extension {
  const list = entries.map(([type, name]) => Buffer.concat([Buffer.from([type]), vector16(Buffer.from(name))]));
  return [0, vector16(Buffer.concat(list))];
}

/** One record around `fragment`. */
export function record(fragment: Buffer, type = 22, version = 0x0301): Buffer {
  return Buffer.concat([Buffer.from([type]), u16(version), vector16(fragment)]);
}

/** `message` in as many records as it has pieces of the given sizes; the last takes the rest. */
export function records(message: Buffer, sizes: readonly number[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at + size >= message.length) break;
    pieces.push(record(message.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat([...pieces, record(message.subarray(at))]);
}

/** A whole, good ClientHello for `name`. */
export function helloFor(name: string): Buffer {
  return record(helloMessage({ extensions: [[43, Buffer.from("020304", "hex")], serverName([0, name])] }));
}

/** What makes a ServerHello a HelloRetryRequest. */
export const retryRandom: Buffer = hash("sha256", "HelloRetryRequest", "buffer");

/** The handshake message of a ServerHello of TLS 1.3; with `retryRandom`, one that asks for another ClientHello. */
export function serverHelloMessage(random: Buffer = Buffer.alloc(32, 5)): Buffer {
  const head = [u16(0x0303), random, vector8(Buffer.alloc(32, 7)), u16(0x1301), Buffer.from([0])];
  const body = Buffer.concat([...head, vector16(Buffer.from("002b00020304003300020018", "hex"))]);
  return Buffer.concat([Buffer.from([2]), u24(body.length), body]);
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function u24(value: number): Buffer {
  return Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
}

function vector8(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([data.length]), data]);
}

export function vector16(data: Buffer): Buffer {
  return Buffer.concat([u16(data.length), data]);
}

/** What Node's own TLS sends first. */
export function helloOfNode(options: ConnectionOptions): Promise<Buffer> {
  return captured((port) => {
    const socket = connect({ port, host: "127.0.0.1", ...options });
    socket.on("error", () => {});
    return () => socket.destroy();
  });
}

/** What `openssl s_client` sends first. */
export function helloOfOpenssl(...args: readonly string[]): Promise<Buffer> {
  return captured((port) => {
    const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...args], { stdio: "ignore" });
    return () => void child.kill();
  });
}

export const hasOpenssl: boolean = spawnSync("openssl", ["version"]).status === 0;

function captured(start: (port: number) => () => void): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket
        .on("error", () => {})
        .once("data", (chunk: Buffer) => {
          resolve(chunk);
          stop();
          socket.destroy();
          server.close();
        });
    });
    let stop = (): void => {};
    server.listen(0, "127.0.0.1", () => {
      stop = start((server.address() as AddressInfo).port);
    });
  });
}
