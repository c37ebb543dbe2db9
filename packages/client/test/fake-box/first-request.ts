import type { Duplex } from "node:stream";

/** The first request on a connection, and whatever came behind it in the same packets. */
export interface FirstRequest {
  readonly head: string;
  readonly body: Buffer;
  readonly rest: Buffer;
}

/** Reads one request with a Content-Length; `null` where the connection ended before that. Leaves the socket paused. */
export function readFirstRequest(socket: Duplex): Promise<FirstRequest | null> {
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    const end = (request: FirstRequest | null): void => {
      socket.off("data", onData).off("close", onClose).pause();
      resolve(request);
    };
    const onClose = (): void => end(null);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const request = cut(received);
      if (request !== null) end(request);
    };
    socket.on("data", onData).on("close", onClose);
  });
}

function cut(received: Buffer): FirstRequest | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) return null;
  const head = received.subarray(0, headEnd).toString("latin1");
  const end = headEnd + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (received.length < end) return null;
  return { head, body: received.subarray(headEnd + 4, end), rest: received.subarray(end) };
}
