/** Requests over connections that stay open, written and read as bytes. */
import { connect, type Socket } from "node:net";
import { cutAnswer } from "./answer.ts";
import { openTls } from "./tls.ts";

export interface LoadOptions {
  /** On 127.0.0.1, and nowhere else. */
  readonly port: number;
  readonly tls: boolean;
  readonly connections: number;
  readonly headers: readonly string[];
}

export interface Load extends Disposable {
  /** Sends `count` requests over all connections, one at a time on each; resolves when all are answered with 200. */
  send(count: number): Promise<void>;
}

export async function openLoad({ port, tls, connections, headers }: LoadOptions): Promise<Load> {
  const open = tls ? openTls : openTcp;
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const request = ["GET / HTTP/1.1", `host: 127.0.0.1:${port}`, ...headers, "", ""].join("\r\n");
  return {
    async send(count) {
      let left = count;
      const takeOne = (): boolean => {
        left -= 1;
        return left >= 0;
      };
      await Promise.all(sockets.map((socket) => sendWhile(takeOne, socket, request)));
    },
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function openTcp(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const connected = Promise.withResolvers<void>();
  socket.once("connect", connected.resolve).once("error", connected.reject);
  await connected.promise;
  return socket;
}

function sendWhile(takeOne: () => boolean, socket: Socket, request: string): Promise<void> {
  const done = Promise.withResolvers<void>();
  let received: Buffer = Buffer.alloc(0);
  const next = (): void => {
    received = Buffer.alloc(0);
    if (takeOne()) socket.write(request);
    else done.resolve();
  };
  const onData = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = cutAnswer(received);
    if (answer === null) return;
    if (answer.status === 200) next();
    else done.reject(new Error(`status ${answer.status} under load`));
  };
  const onClose = (): void => done.reject(new Error("a connection was closed under load"));
  socket.on("data", onData).on("close", onClose);
  next();
  return done.promise.finally(() => socket.off("data", onData).off("close", onClose));
}
