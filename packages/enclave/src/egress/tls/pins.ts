/** Keys that vouch for a certificate: the path from it to a trusted root, walked anew and signature by signature. */
import { hash, X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";

/** Signatures that are checked at most: ten times what an honest chain needs. */
const maxSteps = 64;
const maxDepth = 8;

/**
 * Is one of `pins` (`sha256:<hex>` of SPKIs) the key of `leaf`, or of an authority on a path from it to one of `roots`?
 *
 * Node shows the chain that the other side sent, put together by names alone: a certificate in it need not have signed
 * anything, so an impostor could show a copy of the pinned one. Here every step is an authority that is valid at `now`
 * and whose key made the signature below it. It stands beside OpenSSL's verification, never in its place.
 */
export function isPinned(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  pins: ReadonlySet<string>,
  now: number,
): boolean {
  const [leaf, ...sent] = chain;
  if (leaf === undefined) return false;
  const trusted = new Set(roots.map((root) => root.fingerprint256));
  let steps = 0;
  const search = (certificate: X509Certificate, pinned: boolean, depth: number): boolean => {
    const isFound = pinned || pins.has(spkiDigest(certificate));
    if (trusted.has(certificate.fingerprint256)) return isFound;
    if (depth === maxDepth) return false;
    const issuers = [...roots, ...sent].filter((each) => isAuthority(each, now) && certificate.checkIssued(each));
    return issuers.some((issuer) => {
      steps += 1;
      return steps <= maxSteps && certificate.verify(issuer.publicKey) && search(issuer, isFound, depth + 1);
    });
  };
  return search(leaf, false, 0);
}

function isAuthority(certificate: X509Certificate, now: number): boolean {
  return certificate.ca && Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/** `sha256:<hex>` of the DER SubjectPublicKeyInfo. */
export function spkiDigest(certificate: X509Certificate): string {
  return `sha256:${hash("sha256", certificate.publicKey.export({ format: "der", type: "spki" }), "hex")}`;
}

/** The chain as Node shows it, from the leaf up. */
export function chainOf(peer: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  // The last one is its own issuer.
  for (let at: DetailedPeerCertificate | undefined = peer; at !== undefined && chain.length <= maxDepth; ) {
    chain.push(new X509Certificate(at.raw));
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return chain;
}
