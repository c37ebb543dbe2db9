import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";

/**
 * Ends a connection so that the other side cannot take what it got for the whole: a TCP reset, or TLS without its
 * farewell. A socket whose own end is being said already is only closed: a reset would fail then (EINVAL), and Node would
 * neither close it nor say that it is gone.
 */
export function reset(socket: Duplex): void {
  if (socket.destroyed) return;
  // A TLS socket inherits the method, and throws.
  const canReset = socket instanceof Socket && !(socket instanceof TLSSocket) && !socket.writableEnded;
  if (canReset) socket.resetAndDestroy();
  else socket.destroy();
}
