/** Reads the first bytes of a connection and gives them back. */
import type { Socket } from "node:net";

/** The connection ended, broke, or stayed silent before enough of it was there. */
export class PeekError extends Error {
  readonly reason: "closed" | "timeout";

  constructor(reason: "closed" | "timeout") {
    super(`no decision on the first bytes: ${reason}`);
    this.name = "PeekError";
    this.reason = reason;
  }
}

/**
 * Hands what arrives on `socket`, which must be paused, to `look` until that answers something else than null, and
 * resolves with it; by then every byte was given back to the socket, unchanged and in order, and the socket is paused.
 * `look` bounds how much may come: it throws.
 *
 * @param ms for all of it.
 * @throws PeekError, or what `look` throws; the socket is then in no state to be used.
 */
export function peek<T>(socket: Socket, ms: number, look: (chunk: Buffer) => T | null): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const chunks: Buffer[] = [];
  // At once, not when the promise is heard of: a stream that has ended says so, or hands the bytes out anew, before that.
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable).off("end", onClosed).off("close", onClosed).pause();
  };
  const fail = (error: unknown): void => {
    stop();
    reject(error);
  };
  const onClosed = (): void => fail(new PeekError("closed"));
  const timer = setTimeout(() => fail(new PeekError("timeout")), ms);
  const onReadable = (): void => {
    try {
      const found = lookThrough(socket, chunks, look);
      if (found === null) return;
      stop();
      socket.unshift(Buffer.concat(chunks));
      resolve(found);
    } catch (error) {
      fail(error);
    }
  };
  socket.on("readable", onReadable).on("end", onClosed).on("close", onClosed);
  // Bytes that were given back before cause no event of their own.
  if (socket.destroyed) onClosed();
  else if (socket.readableLength > 0) onReadable();
  return promise;
}

function lookThrough<T>(socket: Socket, chunks: Buffer[], look: (chunk: Buffer) => T | null): T | null {
  for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
    chunks.push(chunk);
    const found = look(chunk);
    if (found !== null) return found;
  }
  return null;
}
