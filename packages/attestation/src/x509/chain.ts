/** Walking a chain from a leaf to a pinned root, with revocation at every step (RFC 5280, section 6, cut to what is needed). */
import { equalBytes } from "@blindbox/encoding";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { SignatureAlgorithm } from "./algorithms.ts";
import type { Certificate } from "./certificate.ts";
import { extensionOids, unknownCritical } from "./extensions.ts";
import type { SignatureCheck } from "./known-signatures.ts";
import { verifyRevocation, type RevocationSource } from "./revocation.ts";
import { isoTime } from "./time.ts";

/** One certificate below the root, with where its revocation is looked up. */
export interface Link {
  /** What the certificate is called in findings, for example `device`. */
  readonly name: string;
  readonly certificate: Certificate;
  /** `null` only where the certificate's issuer publishes no CRL at all, by its vendor's word. */
  readonly revocation: RevocationSource | null;
}

/** A chain as the verifying side sees it. */
export interface Chain {
  /** Seconds since 1970. */
  readonly now: number;
  /** Verifies certificates and CRLs. */
  readonly verifySignature: SignatureCheck;
  /** What the vendor signs certificates and CRLs with: a signature by any other algorithm proves nothing here. Never empty. */
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Object identifiers of critical extensions that the TEE's own folder acts on, beside those of RFC 5280. */
  readonly knownExtensions: readonly string[];
  /** The leaf first, then each one's issuer, the root left out. Never empty. */
  readonly links: readonly Link[];
  /** The pinned root, from the verifying side itself. */
  readonly root: Certificate;
}

/**
 * All that there is to say of the chain; it is good if every Finding passed. In order: who issued what, signatures, use,
 * validity, revocation, each from the root down to the leaf.
 */
export async function verifyChain(chain: Chain): Promise<readonly Finding[]> {
  const links = chain.links.map((link, depth) => ({ ...link, depth, issuer: issuerOf(chain, depth) })).toReversed();
  const signatures = await Promise.all(links.map(async (link) => signature(link, await verifyLink(link, chain))));
  const revocations = await Promise.all(links.map((link) => revocationOf(link, chain)));
  return [
    ...links.map(({ name, certificate, issuer }) => issuerName(name, certificate, issuer)),
    ...signatures,
    ...uses(chain, links),
    validity("root", chain.root, chain.now),
    ...links.map(({ name, certificate }) => validity(name, certificate, chain.now)),
    ...revocations.flat(),
  ];
}

interface PlacedLink extends Link {
  /** 0 for the leaf. */
  readonly depth: number;
  readonly issuer: Certificate;
}

function issuerOf({ links, root }: Chain, depth: number): Certificate {
  return links[depth + 1]?.certificate ?? root;
}

async function verifyLink(
  { certificate, issuer }: PlacedLink,
  { verifySignature, algorithms }: Chain,
): Promise<boolean> {
  const { algorithm } = certificate;
  return (
    algorithms.includes(algorithm) && verifySignature(algorithm, issuer.key, certificate.signature, certificate.signed)
  );
}

async function revocationOf(
  link: PlacedLink,
  { now, verifySignature, algorithms }: Chain,
): Promise<readonly Finding[]> {
  const { name, certificate, revocation, issuer } = link;
  return revocation === null
    ? []
    : verifyRevocation({ name, certificate, issuer, now, verifySignature, algorithms, ...revocation });
}

// The root came from the caller or a pin: its signature proves nothing more, but it may have expired, or be no CA.
function uses({ root, knownExtensions }: Chain, links: readonly PlacedLink[]): readonly Finding[] {
  return [
    criticalExtensions("root", root, knownExtensions),
    authority("root", root, links.length - 1),
    ...links.flatMap((link) => [
      criticalExtensions(link.name, link.certificate, knownExtensions),
      link.depth === 0 ? leafUse(link) : authority(link.name, link.certificate, link.depth - 1),
    ]),
  ];
}

function issuerName(name: string, certificate: Certificate, issuer: Certificate): Finding {
  return compared({
    step: "authenticate",
    check: "certificate-issuer",
    subject: name,
    code: "bad-chain",
    holds: equalBytes(certificate.issuer, issuer.subject),
    expected: `${name} certificate issued under the name of the next in the chain`,
    actual: equalBytes(certificate.issuer, issuer.subject) ? "that name" : "another name",
    passed: "The chain's names follow one another.",
    failed: "The chain is out of order, or not one chain.",
  });
}

function signature({ name }: PlacedLink, holds: boolean): Finding {
  return compared({
    step: "authenticate",
    check: "certificate-signature",
    subject: name,
    code: "bad-chain",
    holds,
    expected: `${name} certificate signed by the next in the chain`,
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The certificate is its issuer's.",
    failed: "The certificate is forged, or of another chain.",
  });
}

function validity(name: string, { notBefore, notAfter }: Certificate, now: number): Finding {
  return compared({
    step: "authenticate",
    check: "certificate-validity",
    subject: name,
    code: now < notBefore ? "not-yet-valid" : "expired",
    holds: notBefore <= now && now <= notAfter,
    expected: `${name} certificate valid at ${isoTime(now)}`,
    actual: `${isoTime(notBefore)} to ${isoTime(notAfter)}`,
    passed: "The certificate is valid now.",
    failed: "The certificate is not valid now.",
    hint: "Compare this machine's clock; if it is right, the box has to fetch its Endorsements anew.",
  });
}

function criticalExtensions(name: string, { extensions }: Certificate, known: readonly string[]): Finding {
  const unknown = unknownCritical(extensions, [extensionOids.keyUsage, extensionOids.basicConstraints, ...known]);
  return compared({
    step: "authenticate",
    check: "certificate-extensions",
    subject: name,
    code: "bad-chain",
    holds: unknown.length === 0,
    expected: `${name} certificate without unknown critical extensions`,
    actual: unknown.length === 0 ? "none" : unknown.join(", "),
    passed: "Every condition that the issuer made is understood.",
    failed: "The issuer made a condition that is not understood here.",
  });
}

/** A CA's certificate: cA, keyCertSign said outright, and room for the `below` CAs that follow. */
function authority(name: string, { basicConstraints, keyUsage }: Certificate, below: number): Finding {
  const { ca, pathLength } = basicConstraints;
  const certSign = keyUsage?.keyCertSign ?? false;
  return compared({
    step: "authenticate",
    check: "certificate-authority",
    subject: name,
    code: "bad-chain",
    holds: ca && certSign && (pathLength === null || pathLength >= below),
    expected: `${name} certificate: cA, keyCertSign, path length at least ${below}`,
    actual: `cA ${ca}, keyCertSign ${certSign}, path length ${pathLength ?? "unlimited"}`,
    passed: "The issuer may issue certificates.",
    failed: "The issuer may not issue this certificate.",
  });
}

function leafUse({ name, certificate }: PlacedLink): Finding {
  const { basicConstraints, keyUsage } = certificate;
  const signs = keyUsage === null || keyUsage.digitalSignature;
  return compared({
    step: "authenticate",
    check: "certificate-use",
    subject: name,
    code: "bad-chain",
    holds: !basicConstraints.ca && signs,
    expected: `${name} certificate: no CA, may sign`,
    actual: `cA ${basicConstraints.ca}, ${signs ? "may sign" : "may not sign"}`,
    passed: "The leaf's key may sign Evidence and nothing else.",
    failed: "The leaf's key is not one for signing Evidence.",
  });
}
