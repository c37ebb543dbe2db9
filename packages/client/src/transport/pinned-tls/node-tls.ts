/** Opens a TLS connection of which nothing is believed yet, and takes from it what Evidence can be bound to. */
import { isIP } from "node:net";
import { connect, createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";
import { EXPORTER_LABEL } from "@blindbox/attestation";
import { ConnectionError, TimeoutError } from "../../connection-error.ts";
import type { ClientCertificate } from "../../options/options.ts";
import { ChannelError } from "../channel-error.ts";

/** What this end knows of a connection by itself: nothing here was said by the peer. */
export interface ChannelFacts {
  /** 32 bytes (RFC 9266). */
  readonly exporter: Uint8Array;
  /** DER SubjectPublicKeyInfo of the certificate that the handshake proved. */
  readonly tlsSpki: Uint8Array;
}

/**
 * One for all connections of a transport. Without certificate authorities: who the peer is, Evidence says. `certificate` is
 * shown to a peer that asks for one in the handshake.
 *
 * @throws TypeError where key and certificate cannot be used together.
 */
export function createTlsContext(certificate: ClientCertificate | null): SecureContext {
  if (certificate === null) return createSecureContext(tls13());
  const { key, cert } = certificate;
  try {
    return createSecureContext({ ...tls13(), key, cert });
  } catch {
    // OpenSSL's own words are of no use, and are left out with whatever they hold.
    throw new TypeError("options.credentials.certificate must be a readable key, and a certificate of that very key");
  }
}

function tls13(): SecureContextOptions {
  return { minVersion: "TLSv1.3", maxVersion: "TLSv1.3", ca: [] };
}

/**
 * Opens TCP and TLS 1.3 to an origin; the handshake is complete when it resolves. It is never a resumed one: no session is
 * offered. Rejects with a ConnectionError.
 */
export function openTls(origin: URL, secureContext: SecureContext, milliseconds: number): Promise<TLSSocket> {
  const host = origin.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({
    host,
    port: Number(origin.port === "" ? 443 : origin.port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ["http/1.1"],
    secureContext,
    // A box's certificate is self-signed: its key is judged by the Evidence, before anything is sent.
    rejectUnauthorized: false,
  });
  socket.setNoDelay(true);
  return untilSecure(socket, milliseconds);
}

function untilSecure(socket: TLSSocket, milliseconds: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new TimeoutError("connect", milliseconds)), milliseconds);
    socket.once("connect", () => {
      connected = true;
    });
    // Stays for good: a connection that fails while nobody listens must not end the program.
    socket.on("error", (error) => fail(connectFault(error, connected)));
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

function connectFault(error: Error, connected: boolean): ConnectionError {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return new ConnectionError(connected ? "tls-failed" : "unreachable", "connect", code);
}

/**
 * What Evidence is bound to on this connection.
 *
 * @throws ChannelError where the connection cannot be bound: another version or protocol, a resumed handshake, no
 * certificate, no exporter. There is no weaker mode to fall back to.
 */
export function readChannel(socket: TLSSocket): ChannelFacts {
  const version = socket.getProtocol();
  if (version !== "TLSv1.3") throw new ChannelError("tls-version", version ?? "none");
  if (socket.alpnProtocol !== "http/1.1") throw new ChannelError("tls-application-protocol", "none");
  if (socket.isSessionReused()) throw new ChannelError("tls-full-handshake", "a resumed session");
  return { tlsSpki: readPeerKey(socket), exporter: readExporter(socket) };
}

function readPeerKey(socket: TLSSocket): Uint8Array {
  try {
    const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
    if (key !== undefined) return new Uint8Array(key);
  } catch {
    throw new ChannelError("tls-certificate", "a key of an unknown kind");
  }
  throw new ChannelError("tls-certificate", "none");
}

function readExporter(socket: TLSSocket): Uint8Array {
  // The type says Buffer; what a runtime without exporters returns is another matter.
  const exporter: unknown = socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
  if (!(exporter instanceof Uint8Array)) throw new ChannelError("tls-exporter", "none");
  if (exporter.length !== 32) throw new ChannelError("tls-exporter", `${exporter.length} bytes`);
  if (exporter.every((byte) => byte === 0)) throw new ChannelError("tls-exporter", "zero bytes");
  return new Uint8Array(exporter);
}
