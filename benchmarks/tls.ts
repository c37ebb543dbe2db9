/** TLS 1.3 connections to loopback whose certificate nobody looks at. */
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";

/** What Node's own client does at its best: made once, with no certificate authorities to look through. */
export const secureContext: SecureContext = createSecureContext({
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  ca: [],
});

/** Resolves when the handshake is complete. */
export async function openTls(port: number): Promise<TLSSocket> {
  const place = { host: "127.0.0.1", port, ALPNProtocols: ["http/1.1"] };
  const socket = connect({ ...place, secureContext, rejectUnauthorized: false });
  socket.setNoDelay(true);
  const secure = Promise.withResolvers<void>();
  socket.once("secureConnect", secure.resolve).once("error", secure.reject);
  await secure.promise;
  return socket;
}
