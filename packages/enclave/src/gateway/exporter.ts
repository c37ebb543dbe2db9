import type { TLSSocket } from "node:tls";
import { EXPORTER_LABEL } from "@blindbox/attestation";

/**
 * The value that both ends of this very connection know and nobody between them does (RFC 9266): 32 bytes, empty context.
 *
 * @throws where the handshake is not complete or the connection is not TLS 1.3; never a value that binds nothing.
 */
export function exporterOf(socket: TLSSocket): Uint8Array {
  if (socket.getProtocol() !== "TLSv1.3") throw new TypeError("exporter: expected TLS 1.3");
  const exporter = socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
  if (exporter.length !== 32 || exporter.every((byte) => byte === 0))
    throw new TypeError("exporter: names no connection");
  return exporter;
}
