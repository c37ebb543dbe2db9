/** Callers at the level of bytes, and of requests, over real TLS. */
import type { IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { readAll } from "./fake-app.ts";

/** Opens a TLS connection; resolves when the handshake is complete. */
export async function openTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    ...options,
  });
  const secure = Promise.withResolvers<void>();
  socket.once("secureConnect", () => secure.resolve()).once("error", secure.reject);
  await secure.promise;
  socket.on("error", () => {});
  return socket;
}

/** Everything that `socket` receives until the other side closes it. */
export async function readUntilClosed(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  return Buffer.concat(chunks).toString("latin1");
}

/** Sends these very bytes on a new connection and returns everything that comes until the gateway closes it. */
export async function sendRaw(port: number, ...pieces: readonly string[]): Promise<string> {
  const socket = await openTls(port);
  const received = readUntilClosed(socket);
  for (const piece of pieces) socket.write(piece, "latin1");
  return received;
}

/** Resolves with what was received as soon as `pattern` is in it. */
export function receive(socket: TLSSocket, pattern: RegExp | string): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (text.search(pattern) === -1) return;
      socket.off("data", onData);
      resolve(text);
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error(`closed before ${String(pattern)} came`)));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  readonly trailers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface CallOptions extends Pick<RequestOptions, "method" | "headers" | "agent" | "createConnection"> {
  readonly key?: string;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own, unless `agent` says otherwise. Rejects when the answer is cut. */
export function call(port: number, path: string, options: CallOptions = {}): Promise<Answer> {
  const { key, body, headers, agent = false, ...rest } = options;
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      port,
      host: "127.0.0.1",
      path,
      rejectUnauthorized: false,
      agent,
      ...rest,
      headers: { ...authorization, ...(headers as Record<string, string>) },
    });
    request.once("error", reject).once("response", (response) => {
      readAnswer(response).then(resolve, reject);
    });
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const body = await readAll(response);
  const { statusCode: status = 0, headers, rawHeaders, trailers } = response;
  return { status, headers, rawHeaders, trailers, body };
}

/** The code of a problem answer. */
export function problemCode(answer: Answer): string {
  return (JSON.parse(answer.body) as { type: string }).type.replace("urn:blindbox:problem:", "");
}
