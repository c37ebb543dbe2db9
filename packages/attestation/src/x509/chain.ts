/** Walking a chain from a leaf to a pinned root, with revocation at every step (RFC 5280, section 6, cut to what is needed). */
import { equalBytes } from "@blindbox/encoding";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { Certificate } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { extensionOids, unknownCritical } from "./extensions.ts";
import { verifyRevocation, type RevocationRules } from "./revocation.ts";
import { isoTime } from "./time.ts";

/** One certificate below the root, with its issuer's CRL. */
export interface Link {
  /** What the certificate is called in findings, for example `device`. */
  readonly name: string;
  readonly certificate: Certificate;
  /** The CRL of this certificate's issuer; `null` where none came. */
  readonly crl: Crl | null;
}

/** A chain as the verifying side sees it. */
export interface Chain extends RevocationRules {
  /** The leaf first, then each one's issuer, the root left out. Never empty. */
  readonly links: readonly Link[];
  /** The pinned root, from the verifying side itself. */
  readonly root: Certificate;
}

/** All that there is to say of the chain; it is good if every Finding passed. */
export async function verifyChain(chain: Chain): Promise<readonly Finding[]> {
  const { links, root, now } = chain;
  const issuers = [...links.slice(1), { name: "root", certificate: root }];
  const below = await Promise.all(
    links.map(async (link, depth) => {
      const issuer = issuers[depth]?.certificate ?? root;
      return [
        ...(await verifyLink(link, issuer, chain)),
        depth === 0 ? leafUse(link) : authority(link.name, link.certificate, depth - 1),
        ...(await verifyRevocation(link.name, link.certificate, link.crl, issuer, chain)),
      ];
    }),
  );
  return [...rootFindings(root, links.length - 1, now), ...below.flat()];
}

// The root came from the caller: its name and signature prove nothing more, but it may have expired, or be no CA.
function rootFindings(root: Certificate, depth: number, now: number): readonly Finding[] {
  return [validity("root", root, now), criticalExtensions("root", root), authority("root", root, depth)];
}

async function verifyLink(
  { name, certificate }: Link,
  issuer: Certificate,
  { now, verifySignature }: RevocationRules,
): Promise<readonly Finding[]> {
  const { algorithm, signature, signed } = certificate;
  return [
    issuerName(name, certificate, issuer),
    issuerSignature(name, await verifySignature(algorithm, issuer.key, signature, signed)),
    validity(name, certificate, now),
    criticalExtensions(name, certificate),
  ];
}

function issuerName(name: string, certificate: Certificate, issuer: Certificate): Finding {
  return compared({
    step: "authenticate",
    check: "certificate-issuer",
    holds: equalBytes(certificate.issuer, issuer.subject),
    expected: `${name} certificate issued under the name of the next in the chain`,
    actual: equalBytes(certificate.issuer, issuer.subject) ? "that name" : "another name",
    passed: "The chain's names follow one another.",
    failed: "The chain is out of order, or not one chain.",
  });
}

function issuerSignature(name: string, holds: boolean): Finding {
  return compared({
    step: "authenticate",
    check: "certificate-signature",
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
    holds: notBefore <= now && now <= notAfter,
    expected: `${name} certificate valid at ${isoTime(now)}`,
    actual: `${isoTime(notBefore)} to ${isoTime(notAfter)}`,
    passed: "The certificate is valid now.",
    failed: "The certificate is not valid now.",
    hint: "Compare this machine's clock; if it is right, the box has to fetch its Endorsements anew.",
  });
}

function criticalExtensions(name: string, { extensions }: Certificate): Finding {
  const unknown = unknownCritical(extensions, [extensionOids.keyUsage, extensionOids.basicConstraints]);
  return compared({
    step: "authenticate",
    check: "certificate-extensions",
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
    holds: ca && certSign && (pathLength === null || pathLength >= below),
    expected: `${name} certificate: cA, keyCertSign, path length at least ${below}`,
    actual: `cA ${ca}, keyCertSign ${certSign}, path length ${pathLength ?? "unlimited"}`,
    passed: "The issuer may issue certificates.",
    failed: "The issuer may not issue this certificate.",
  });
}

function leafUse({ name, certificate }: Link): Finding {
  const { basicConstraints, keyUsage } = certificate;
  const signs = keyUsage === null || keyUsage.digitalSignature;
  return compared({
    step: "authenticate",
    check: "certificate-use",
    holds: !basicConstraints.ca && signs,
    expected: `${name} certificate: no CA, may sign`,
    actual: `cA ${basicConstraints.ca}, ${signs ? "may sign" : "may not sign"}`,
    passed: "The leaf's key may sign Evidence and nothing else.",
    failed: "The leaf's key is not one for signing Evidence.",
  });
}
