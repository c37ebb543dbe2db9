/** The one name server that the application can reach: over UDP and TCP, on sockets made in the gate's network. */
import type { Socket as DatagramSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import type { AnswerMessage } from "./answer.ts";
import { MAX_MESSAGE_BYTES } from "./message.ts";
import { reset } from "../../reset.ts";

export interface DnsLimits {
  /** Datagrams that wait to be sent; while there are so many, questions are dropped. */
  readonly unsent: number;
  /** TCP connections open at once; one more is reset. */
  readonly connections: number;
  /** Questions on one connection; then it is ended. */
  readonly questions: number;
  /** Milliseconds for which a connection may last. */
  readonly lifetime: number;
}

// A stub resolver opens a connection for one question, and only where UDP failed.
export const dnsLimits: DnsLimits = Object.freeze({ unsent: 256, connections: 32, questions: 64, lifetime: 10_000 });

/** Answers every question that arrives on a bound socket. */
export function serveDatagrams(socket: DatagramSocket, answer: AnswerMessage, limits: DnsLimits = dnsLimits): void {
  let unsent = 0;
  socket.on("error", () => {});
  socket.on("message", (message, { port, address }) => {
    if (unsent >= limits.unsent || port === 0) return;
    const reply = answer(message);
    if (reply === null) return;
    unsent += 1;
    socket.send(reply, port, address, () => (unsent -= 1));
  });
}

export interface DnsConnections {
  /** Answers every question on connections of a listening server. */
  serve(server: Server): void;
  /** Ends those that are open. */
  close(): void;
}

/** @param onTooMany called for each connection that was one too many. */
export function createDnsConnections(
  answer: AnswerMessage,
  onTooMany: () => void,
  limits: DnsLimits = dnsLimits,
): DnsConnections {
  const open = new Set<Socket>();
  const take = (socket: Socket): void => {
    socket.on("error", () => {});
    if (open.size >= limits.connections) {
      reset(socket);
      onTooMany();
      return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    answerConnection(socket, answer, limits);
  };
  return {
    serve: (server) => void server.on("error", () => {}).on("connection", take),
    close: () => open.forEach((socket) => socket.destroy()),
  };
}

function answerConnection(socket: Socket, answer: AnswerMessage, limits: DnsLimits): void {
  const lifetime = setTimeout(() => socket.destroy(), limits.lifetime);
  socket.once("close", () => clearTimeout(lifetime));
  let left = limits.questions;
  let unread: Uint8Array = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    for (let message = firstMessage(unread); message !== null; message = firstMessage(unread)) {
      unread = unread.subarray(lengthBytes + message.length);
      left -= 1;
      if (!reply(socket, answer(message)) || left <= 0) return socket.destroySoon();
    }
    // Also bounds what is kept: a message that may be answered fits here.
    if (declaredLength(unread) > MAX_MESSAGE_BYTES) socket.destroy();
  });
  socket.resume();
}

const lengthBytes = 2;

function declaredLength(bytes: Uint8Array): number {
  return bytes.length < lengthBytes ? 0 : ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
}

function firstMessage(bytes: Uint8Array): Uint8Array | null {
  const end = lengthBytes + declaredLength(bytes);
  return bytes.length < lengthBytes || bytes.length < end ? null : bytes.subarray(lengthBytes, end);
}

/** False where the connection is of no more use: what is no question, or an asker that does not read its answers. */
function reply(socket: Socket, message: Uint8Array | null): boolean {
  if (message === null) return false;
  const framed = Buffer.alloc(lengthBytes + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, lengthBytes);
  return socket.write(framed);
}
