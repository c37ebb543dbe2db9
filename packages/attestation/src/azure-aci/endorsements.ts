/** Verify: did an accepted issuer endorse this report's measurement? */
import { digest, equalBytes, toHex } from "@blindbox/encoding";
import { ps384 } from "../cose/sign1.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import {
  rsaPkcs1Sha384,
  verifyChain,
  type Certificate,
  type Chain,
  type Link,
  type SignatureCheck,
} from "../x509/index.ts";
import { isoTime } from "../x509/time.ts";
import type { ChainCertificate, UvmEndorsement } from "./evidence.ts";
import { extendedKeyUsage } from "./purposes.ts";
import type { PinnedIssuer } from "./roots.ts";

/** What a verifier of endorsements is made of. */
export interface Trust {
  readonly issuers: readonly PinnedIssuer[];
  /** Verifies certificates. */
  readonly verifySignature: SignatureCheck;
  /** Verifies endorsements, whose signatures are raw. */
  readonly verifyEndorsement: SignatureCheck;
}

/** All that there is to say of the endorsement's origin, and whether it is about this measurement. */
export async function verifyEndorsement(
  endorsement: UvmEndorsement,
  measurement: Uint8Array,
  trust: Trust,
  now: number,
): Promise<readonly Finding[]> {
  const issuer = trust.issuers.find(({ did }) => did === endorsement.issuer) ?? null;
  const [root, chain, thumbprint, signature] = await Promise.all([
    comparePin(endorsement, issuer),
    verifyChain(chainOf(endorsement, trust)),
    compareThumbprint(endorsement),
    compareSignature(endorsement, trust),
  ]);
  return [
    acceptedIssuer(endorsement, trust, issuer),
    root,
    ...chain.map(ofSigningTime),
    purpose(endorsement, issuer),
    thumbprint,
    signature,
    signedBefore(endorsement, now),
    compareMeasurement(endorsement, measurement),
  ];
}

function acceptedIssuer({ issuer: actual }: UvmEndorsement, { issuers }: Trust, issuer: PinnedIssuer | null): Finding {
  return compared({
    step: "authenticate",
    check: "uvm-issuer",
    code: "feed-mismatch",
    holds: issuer !== null,
    expected: issuers.map(({ did }) => did).join(" or "),
    actual,
    passed: "Who endorses the utility VM is accepted for that.",
    failed: "The utility VM is endorsed by nobody whose word is accepted.",
  });
}

async function comparePin({ root }: UvmEndorsement, issuer: PinnedIssuer | null): Promise<Finding> {
  const actual = toHex(await digest("SHA-256", root.der));
  return compared({
    step: "authenticate",
    check: "uvm-root",
    code: "untrusted-root",
    holds: issuer !== null && issuer.rootSha256 === actual,
    expected: issuer === null ? "the root of an accepted issuer" : `the issuer's root ${issuer.rootSha256}`,
    actual,
    passed: "The root is the one that the issuer's name pins.",
    failed: "The root is not the issuer's: anybody could have made this chain.",
  });
}

/** Judged at the time of signing: what an endorsement says of a measurement stays true when its signer's certificate ends. */
function chainOf({ leaf, intermediates, root, signingTime }: UvmEndorsement, { verifySignature }: Trust): Chain {
  // Microsoft's CRLs do not come with the endorsement, and no client asks Microsoft: the page of this TEE says so.
  const link = (name: string, { certificate }: ChainCertificate): Link => ({ name, certificate, revocation: null });
  return {
    now: signingTime,
    verifySignature,
    algorithms: [rsaPkcs1Sha384],
    knownExtensions: [extendedKeyUsage],
    links: [link("signer", leaf), ...intermediates.map((each, at) => link(`x5chain[${at + 1}]`, each))],
    root: root.certificate,
  };
}

/** Names the certificates apart from those of the report's own chain, and says at which time they were judged. */
function ofSigningTime(finding: Finding): Finding {
  const subject = `uvm ${finding.subject ?? "chain"}`;
  if (finding.check !== "certificate-validity") return { ...finding, subject };
  const { hint: _hint, ...rest } = finding;
  const passed = finding.status === "passed";
  return {
    ...rest,
    subject,
    reason: `The certificate was ${passed ? "" : "not "}valid when the endorsement was signed.`,
  };
}

function purpose({ leaf, purposes }: UvmEndorsement, issuer: PinnedIssuer | null): Finding {
  const wanted = issuer?.purpose ?? "that of an accepted issuer";
  return compared({
    step: "authenticate",
    check: "uvm-purpose",
    code: "bad-chain",
    holds: issuer !== null && purposes.includes(issuer.purpose) && signsOutright(leaf.certificate),
    expected: `a signer's certificate for the purpose ${wanted}, with digitalSignature said outright`,
    actual: purposes.length === 0 ? "a certificate for no purpose" : purposes.join(", "),
    passed: "The signer's certificate is for endorsing utility VMs.",
    failed: "The signer's certificate is for something else.",
  });
}

function signsOutright({ keyUsage }: Certificate): boolean {
  return keyUsage?.digitalSignature ?? false;
}

async function compareThumbprint({ leaf, thumbprint }: UvmEndorsement): Promise<Finding> {
  const actual = await digest("SHA-256", leaf.der);
  return compared({
    step: "authenticate",
    check: "uvm-thumbprint",
    code: "bad-chain",
    holds: thumbprint === null || equalBytes(thumbprint, actual),
    expected: thumbprint === null ? "any signer's certificate: the header names none" : toHex(thumbprint),
    actual: toHex(actual),
    passed: "The first certificate is the one that the header means.",
    failed: "The first certificate is not the one that the header means.",
  });
}

async function compareSignature(
  { signed, signature, leaf }: UvmEndorsement,
  { verifyEndorsement: verify }: Trust,
): Promise<Finding> {
  const holds = await verify(ps384.signature, leaf.certificate.key, signature, signed);
  return compared({
    step: "authenticate",
    check: "uvm-signature",
    code: "bad-signature",
    holds,
    expected: "an endorsement signed by the key of its first certificate, with RSASSA-PSS and SHA-384",
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The issuer signed this endorsement.",
    failed: "The endorsement was changed, or somebody else signed it.",
  });
}

function signedBefore({ signingTime }: UvmEndorsement, now: number): Finding {
  return compared({
    step: "authenticate",
    check: "uvm-signing-time",
    code: "not-yet-valid",
    holds: signingTime <= now,
    expected: `an endorsement signed no later than ${isoTime(now)}`,
    actual: isoTime(signingTime),
    passed: "The endorsement was signed before now.",
    failed: "The endorsement says that it will be signed later.",
    hint: "Compare this machine's clock.",
  });
}

function compareMeasurement({ measurement: expected }: UvmEndorsement, actual: Uint8Array): Finding {
  return compared({
    step: "authenticate",
    check: "measurement-endorsement",
    code: "measurement-mismatch",
    holds: equalBytes(expected, actual),
    expected: toHex(expected),
    actual: toHex(actual),
    passed: "The utility VM that was measured is the one that is endorsed.",
    failed: "The endorsement is of another utility VM than the one that was measured.",
  });
}
