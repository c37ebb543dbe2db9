/** The wrapped application's side: connections, bytes and requests. */
import { connect, type Socket } from "node:net";
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from "node:tls";

/** Opens a plain connection; one that is reset at once is there, but closed. */
export async function openPlain(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
  await new Promise<void>((resolve) => {
    socket.once("connect", resolve).once("close", () => resolve());
  });
  return socket;
}

/** Opens a TLS connection to `name` that trusts `ca` alone; rejects where the handshake fails. */
export async function openTls(port: number, ca: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tlsConnect({
    port,
    host: "127.0.0.1",
    servername: "api.test",
    ca,
    ALPNProtocols: ["http/1.1"],
    ...options,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve).once("error", reject);
    socket.once("close", () => reject(new Error("closed during the handshake")));
  });
  return socket.on("error", () => {});
}

/** How a connection ended for the application. */
export interface Ending {
  readonly text: string;
  /** `end` where the other side said that it was done; `reset` where it broke off. */
  readonly how: "end" | "reset";
}

/** Everything that `socket` receives until it is over. */
export function readAll(socket: Socket): Promise<Ending> {
  const chunks: Buffer[] = [];
  let how: Ending["how"] = "reset";
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.once("end", () => {
    how = "end";
    socket.end();
  });
  return new Promise((resolve) => {
    const onClose = (): void => resolve({ text: Buffer.concat(chunks).toString("latin1"), how });
    if (socket.closed) onClose();
    else socket.once("close", onClose);
  });
}

/** Sends these very bytes, and returns everything that comes until the other side closes. */
export function say(socket: Socket, ...pieces: readonly string[]): Promise<Ending> {
  const received = readAll(socket);
  for (const piece of pieces) socket.write(piece, "latin1");
  return received;
}

/** Resolves with what was received as soon as `pattern` is in it. */
export function receive(socket: Socket, pattern: RegExp | string): Promise<string> {
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
