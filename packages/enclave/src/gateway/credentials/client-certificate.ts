/** The certificate that a caller's TLS handshake proved possession of, and who issued it (RFC 5280). */
import { hash, X509Certificate as NodeCertificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { AlternativeName, CertificateFacts, NameAttribute } from "@blindbox/manifest";
import { KeyUsageFlags, KeyUsagesExtension, SubjectAlternativeNameExtension, X509Certificate } from "../../x509.ts";

/** Extended key usage for TLS clients (RFC 5280, section 4.2.1.12). */
const clientAuth = "1.3.6.1.5.5.7.3.2";

/** `unverifiable`: one was presented, and its issuer is not there, did not sign it, or may not issue. */
export type ClientCertificate = CertificateFacts | "unverifiable" | null;

/** Names that a certificate may hold: far more than any has, and no more than is compared in passing. */
const maxNames = 64;

/**
 * Reads the certificate of a connection whose handshake is over; null where the caller presented none. The issuer's own
 * certificate must come along: the Manifest pins its key, so nothing above it is asked for, nor its own validity.
 */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return null;
  try {
    const issuer = issuerOf(socket, leaf);
    return issuer === null || !isForClients(leaf) ? "unverifiable" : factsOf(leaf, issuer);
  } catch {
    // Whatever the libraries make of hostile bytes: it is no certificate that anybody could be known by.
    return "unverifiable";
  }
}

function issuerOf(socket: TLSSocket, leaf: NodeCertificate): NodeCertificate | null {
  const { issuerCertificate } = socket.getPeerCertificate(true);
  if (issuerCertificate === undefined) return null;
  const issuer = new NodeCertificate(issuerCertificate.raw);
  const issues = issuer.ca && maySignCertificates(issuer);
  return issues && leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey) ? issuer : null;
}

function maySignCertificates(issuer: NodeCertificate): boolean {
  const usage = new X509Certificate(issuer.raw).getExtension(KeyUsagesExtension);
  return usage !== null && (usage.usages & KeyUsageFlags.keyCertSign) !== 0;
}

function isForClients(leaf: NodeCertificate): boolean {
  return !leaf.ca && (leaf.keyUsage ?? []).includes(clientAuth);
}

function factsOf(leaf: NodeCertificate, issuer: NodeCertificate): CertificateFacts {
  const parsed = new X509Certificate(leaf.raw);
  const spki = issuer.publicKey.export({ format: "der", type: "spki" });
  return {
    issuer: `sha256:${hash("sha256", spki, "hex")}`,
    subject: subjectOf(parsed),
    names: namesOf(parsed),
    notBefore: Math.floor(parsed.notBefore.getTime() / 1000),
    notAfter: Math.floor(parsed.notAfter.getTime() / 1000),
  };
}

const attributeTypes: ReadonlyMap<string, NameAttribute["type"]> = new Map([
  ["C", "C"],
  ["ST", "ST"],
  ["L", "L"],
  ["O", "O"],
  ["OU", "OU"],
  ["CN", "CN"],
  ["DC", "DC"],
  ["2.5.4.5", "serialNumber"],
  ["0.9.2342.19200300.100.1.1", "UID"],
]);

/** Null where the subject cannot be written as a row of single attributes of known types: it then equals no other. */
function subjectOf(certificate: X509Certificate): readonly NameAttribute[] | null {
  const attributes: NameAttribute[] = [];
  for (const rdn of certificate.subjectName.toJSON()) {
    const [entry, ...others] = Object.entries(rdn);
    const type = attributeTypes.get(entry?.[0] ?? "");
    const [value, ...more] = entry?.[1] ?? [];
    if (type === undefined || value === undefined || others.length > 0 || more.length > 0) return null;
    attributes.push({ type, value });
  }
  return attributes;
}

function namesOf(certificate: X509Certificate): readonly AlternativeName[] {
  const items = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return items.slice(0, maxNames).flatMap(({ type, value }): AlternativeName[] => {
    if (type === "dns") return [{ dns: value.toLowerCase() }];
    if (type === "url") return [{ uri: value }];
    return type === "email" ? [{ email: value }] : [];
  });
}
