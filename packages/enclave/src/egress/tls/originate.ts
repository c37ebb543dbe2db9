/**
 * The box's own TLS towards a host of a `verified` rule. Full verification for that name, before one byte of the
 * application leaves. Not checked: revocation (neither CRL nor OCSP; the network that would bring the answer is the host's,
 * who could hold it back), and Certificate Transparency.
 */
import { constants, hash, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { connect, createSecureContext, rootCertificates, type SecureContext, type TLSSocket } from "node:tls";
import { formatPem, fromBase64 } from "@blindbox/encoding";
import type { VerifiedEgress } from "@blindbox/manifest";
import { EgressError, type EgressErrorCode } from "../errors.ts";
import { chainOf, isPinned } from "./pins.ts";

/** Certificates at which a path may end. */
interface Anchors {
  readonly context: SecureContext;
  /** Read when a pin has to be looked for. */
  readonly roots: () => readonly X509Certificate[];
}

/** What one rule trusts. */
export interface UpstreamTrust extends Anchors {
  readonly pins: ReadonlySet<string>;
}

/** Says what a rule trusts. */
export type TrustOf = (rule: Pick<VerifiedEgress, "roots" | "pins">) => UpstreamTrust;

/** A verified connection. */
export interface Originated {
  readonly socket: TLSSocket;
  /** `sha256:<hex>` of the DER certificate of the host. */
  readonly peer: string;
}

/**
 * Reads roots and pins of rules; what several rules have in common is read once. Without roots in the rule, the store is
 * the one that is compiled into Node, and measured with it: neither the environment nor the machine adds to it.
 */
export function createTrustOf(): TrustOf {
  const known = new Map<string, Anchors>();
  return ({ roots, pins }) => {
    const key = roots?.join() ?? "";
    const anchors = known.get(key) ?? readAnchors(roots === null ? rootCertificates : roots.map(toPem));
    known.set(key, anchors);
    return { ...anchors, pins: new Set(pins) };
  };
}

function readAnchors(certificates: readonly string[]): Anchors {
  let read: readonly X509Certificate[] | null = null;
  return {
    context: createSecureContext({
      ca: [...certificates],
      minVersion: "TLSv1.2",
      // A renegotiation could show another certificate than the one that was verified.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    }),
    roots: () => (read ??= certificates.map((pem) => new X509Certificate(pem))),
  };
}

function toPem(base64: string): string {
  return formatPem("CERTIFICATE", fromBase64(base64));
}

/**
 * Does the handshake on `socket`, as a client, and verifies that the other end is `name`: path to a root of the rule,
 * validity, name, pins. Destroys the socket where it is not. Nothing is resumed: no session of another connection or name
 * is ever offered.
 *
 * @param ms for all of it.
 * @throws EgressError
 */
export async function originate(socket: Socket, name: string, trust: UpstreamTrust, ms: number): Promise<Originated> {
  const tls = connect({
    socket,
    servername: name,
    secureContext: trust.context,
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: true,
  });
  // For good: what comes after the promise was settled has no other listener.
  tls.on("error", () => {});
  try {
    await secured(tls, ms);
    return { socket: tls, peer: verify(tls, name, trust) };
  } catch (error) {
    tls.destroy();
    socket.destroy();
    throw error;
  }
}

async function secured(tls: TLSSocket, ms: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let peer: string | null = null;
  // Before Node's own listener, which destroys the socket where the certificate is not accepted.
  tls.prependOnceListener("secure", () => {
    peer = fingerprintOf(tls.getPeerX509Certificate());
  });
  tls.once("secureConnect", resolve);
  tls.once("error", (error: NodeJS.ErrnoException) => reject(new EgressError(verdictOf(tls, error.code), peer)));
  tls.once("close", () => reject(new EgressError("refused-tls-upstream", peer)));
  const timer = setTimeout(() => reject(new EgressError("refused-upstream-timeout")), ms);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

function fingerprintOf(certificate: X509Certificate | undefined): string | null {
  return certificate === undefined ? null : `sha256:${hash("sha256", certificate.raw, "hex")}`;
}

// Here and not in `checkServerIdentity`, which Node skips where a session is resumed.
function verify(tls: TLSSocket, name: string, trust: UpstreamTrust): string {
  const leaf = tls.getPeerX509Certificate();
  const peer = fingerprintOf(leaf);
  if (!tls.authorized || tls.isSessionReused() || leaf === undefined || peer === null) {
    throw new EgressError("refused-certificate-untrusted", peer);
  }
  // Node's own check, which ran before, falls back on the common name where there is no alternative name.
  if (leaf.checkHost(name, { subject: "never", partialWildcards: false }) === undefined) {
    throw new EgressError("refused-certificate-name", peer);
  }
  if (!bearsPin(tls, trust)) throw new EgressError("refused-certificate-pin", peer);
  if (tls.alpnProtocol !== false && tls.alpnProtocol !== "http/1.1")
    throw new EgressError("refused-tls-upstream", peer);
  return peer;
}

function bearsPin(tls: TLSSocket, { pins, roots }: UpstreamTrust): boolean {
  return pins.size === 0 || isPinned(chainOf(tls.getPeerCertificate(true)), roots(), pins, Date.now());
}

function verdictOf(tls: TLSSocket, code = ""): EgressErrorCode {
  // Set where the handshake was sound and the certificate was not.
  const isCertificate = tls.authorizationError !== null && tls.authorizationError !== undefined;
  return verdicts[code] ?? (isCertificate ? "refused-certificate-untrusted" : "refused-tls-upstream");
}

const verdicts: Readonly<Record<string, EgressErrorCode>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: "refused-certificate-name",
  ERR_TLS_CERT_ALTNAME_FORMAT: "refused-certificate-name",
  CERT_HAS_EXPIRED: "refused-certificate-expired",
  CERT_NOT_YET_VALID: "refused-certificate-expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "refused-certificate-self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "refused-certificate-untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "refused-certificate-untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "refused-certificate-untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "refused-certificate-untrusted",
};
