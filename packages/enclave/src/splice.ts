/** Two connections made into one: bytes of both directions, with backpressure, half-close and an end to silence. */
import type { Duplex } from "node:stream";
import { reset } from "./reset.ts";

/** Bytes that crossed. */
export interface SpliceCounts {
  /** From the application. */
  readonly sent: number;
  /** To the application. */
  readonly received: number;
}

/**
 * Carries bytes between `app` and `upstream` until both directions have ended, either breaks, or nothing moved for `idle`
 * milliseconds. One direction may end before the other. Resolves when both connections are closed; never rejects.
 */
export async function splice(app: Duplex, upstream: Duplex, idle: number): Promise<SpliceCounts> {
  const cut = (): void => [app, upstream].forEach(reset);
  const timer = setTimeout(cut, idle);
  const sent = carry(app, upstream, timer);
  const received = carry(upstream, app, timer);
  await Promise.all([closing(app, cut), closing(upstream, cut)]);
  clearTimeout(timer);
  return { sent: sent(), received: received() };
}

function carry(from: Duplex, to: Duplex, timer: NodeJS.Timeout): () => number {
  let bytes = 0;
  from.allowHalfOpen = true;
  from.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    timer.refresh();
  });
  // A slow reader is no silent one: what was held back for it moves when it drains.
  to.on("drain", () => timer.refresh());
  from.pipe(to);
  return () => bytes;
}

function closing(socket: Duplex, cut: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onClose = (): void => {
    // Closed without having ended both ways is broken.
    if (!socket.readableEnded || !socket.writableFinished) cut();
    resolve();
  };
  socket.on("error", cut);
  if (socket.closed) onClose();
  else socket.once("close", onClose);
  return promise;
}
