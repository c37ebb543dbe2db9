/** A box that may lie: node:tls on a real socket, and a log of every byte that follows the attestation request. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { duplexPair } from "node:stream";
import { createServer, type Server, type TlsOptions, type TLSSocket } from "node:tls";
import { EVIDENCE_MEDIA_TYPE, parseAttestationRequest } from "@blindbox/attestation";
import { readFirstRequest } from "./first-request.ts";
import type { TlsIdentity } from "./identity.ts";

/** What a box knows when it is asked for Evidence. */
export interface Asked {
  readonly nonce: Uint8Array;
  readonly exporter: Uint8Array;
  readonly socket: TLSSocket;
  /** Counts connections from 0. */
  readonly connection: number;
}

export interface FakeBoxOptions {
  readonly identity: TlsIdentity;
  /** Writes the answer to the attestation request. */
  readonly answer: (asked: Asked) => void | Promise<void>;
  readonly tls?: TlsOptions;
  readonly app?: RequestListener;
}

/** What the other end saw of one connection. */
export interface ConnectionLog {
  readonly socket: TLSSocket;
  readonly resumed: boolean;
  /** The attestation request's head. */
  asked: string;
  /** Every byte behind the attestation request. */
  received: string;
}

export interface FakeBox {
  readonly url: string;
  readonly port: number;
  readonly connections: readonly ConnectionLog[];
  /** Every byte behind the attestation requests, of all connections. */
  received(): string;
  /** Presents another key from the next connection on. */
  setIdentity(identity: TlsIdentity): void;
  /** Ends every connection, and resolves once the client has taken note of it. */
  endConnections(): Promise<void>;
  /** Resolves once the client has closed every connection: nothing more can arrive. */
  allClosed(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startFakeBox(options: FakeBoxOptions): Promise<FakeBox> {
  const connections: ConnectionLog[] = [];
  const http = createHttpServer(options.app ?? ((_, response) => response.end("hello")));
  const server = createServer({ ...tlsOptions(options.identity), ...options.tls }, (socket) => {
    const log: ConnectionLog = { socket, resumed: socket.isSessionReused(), asked: "", received: "" };
    const connection = connections.push(log) - 1;
    socket.on("error", () => {});
    void serve(log, connection, options, (stream) => http.emit("connection", stream));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const allClosed = async (): Promise<void> => {
    while ((await connectionCount(server)) > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    connections,
    received: () => connections.map((log) => log.received).join(""),
    setIdentity: (identity) => server.setSecureContext({ ...tlsOptions(identity), ...options.tls }),
    allClosed,
    endConnections() {
      // A FIN, and not a reset: the connection is there until the client has closed its own end.
      for (const { socket } of connections) socket.end();
      return allClosed();
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of connections) socket.destroy();
      http.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Counts what TCP knows of, so that a connection whose handshake is not over is not missed. */
export function connectionCount(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

function tlsOptions(identity: TlsIdentity): TlsOptions {
  return {
    noDelay: true,
    key: identity.key,
    cert: identity.cert,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
  };
}

async function serve(
  log: ConnectionLog,
  connection: number,
  options: FakeBoxOptions,
  toApp: (stream: ReturnType<typeof duplexPair>[0]) => void,
): Promise<void> {
  const { socket } = log;
  const request = await readFirstRequest(socket);
  if (request === null) return;
  log.asked = request.head;
  const [inner, outer] = duplexPair();
  const record = (chunk: Buffer): void => {
    log.received += chunk.toString("latin1");
    if (outer.write(chunk)) return;
    socket.pause();
    outer.once("drain", () => socket.resume());
  };
  if (request.rest.length > 0) record(request.rest);
  socket
    .on("data", record)
    .on("close", () => outer.destroy())
    .resume();
  outer.on("error", () => {}).on("end", () => socket.end());
  outer.pipe(socket, { end: false });
  toApp(inner);
  const { nonce } = parseAttestationRequest(request.body);
  const exporter = new Uint8Array(socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0)));
  await options.answer({ nonce, exporter, socket, connection });
}

/** Sends a body as a box sends its Evidence document. */
export function sendEvidence(socket: TLSSocket, body: string): void {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${EVIDENCE_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.write(head + body);
}
