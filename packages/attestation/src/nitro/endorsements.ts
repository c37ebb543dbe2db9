/** Verify: is the document authentic under AWS's pinned root, with validity at `now`? There are no Endorsements beside it. */
import { jsonObject, type JsonValue } from "@blindbox/encoding";
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { es384 } from "../cose/sign1.ts";
import { compared, malformed } from "../findings.ts";
import type { Finding } from "../types.ts";
import { ecdsaP384, verifyChain, type Certificate, type Chain, type Link, type SignatureCheck } from "../x509/index.ts";
import type { NitroChain } from "./chain.ts";
import { appraiseAge, compareTime } from "./document-time.ts";
import type { NitroDocument } from "./evidence.ts";
import type { CertificateReading, KnownCertificate } from "./known-certificates.ts";
import type { PinnedRoot } from "./roots.ts";

/** What a verifier of documents is made of. */
export interface Trust {
  readonly roots: readonly PinnedRoot[];
  readonly reading: CertificateReading;
  /** Verifies certificates. */
  readonly verifySignature: SignatureCheck;
  /** Verifies documents, whose signatures are raw. */
  readonly verifyDocument: SignatureCheck;
}

/** All that there is to say of the document's origin, and of when it was made. */
export async function authenticateDocument(
  document: NitroDocument,
  chain: NitroChain,
  endorsements: JsonValue,
  trust: Trust,
  policy: AppraisalPolicy,
  now: number,
): Promise<readonly Finding[]> {
  const [pin, verified, signature] = await Promise.all([
    comparePin(chain, trust),
    verifyChain(chainOf(chain, trust, now)),
    compareSignature(document, chain, trust),
  ]);
  return [
    noEndorsements(endorsements),
    pin,
    ...verified,
    leafKeyUsage(chain.leaf.certificate),
    signature,
    compareTime(document, chain),
    appraiseAge(document, policy, now),
  ];
}

function noEndorsements(value: JsonValue): Finding {
  const failed = "A Nitro document brings its chain itself: whatever came beside it is none of AWS's.";
  try {
    jsonObject(value, "endorsements", []);
    return compared({
      step: "authenticate",
      check: "endorsements-form",
      holds: true,
      expected: "an empty object",
      actual: "an empty object",
      passed: "The document brings its chain itself, and nothing else came along.",
      failed,
    });
  } catch (error) {
    return malformed("authenticate", "endorsements-form", error, failed);
  }
}

async function comparePin({ root }: NitroChain, { roots }: Trust): Promise<Finding> {
  const actual = await root.sha256();
  return compared({
    step: "authenticate",
    check: "pinned-root",
    code: "untrusted-root",
    holds: roots.includes(actual),
    expected: `a chain that starts at AWS's root ${roots.join(" or ")}`,
    actual,
    passed: "The first certificate of the bundle is AWS's own root, known by its fingerprint.",
    failed: "The first certificate of the bundle is not AWS's root: anybody could have made this chain.",
  });
}

function chainOf({ root, issuers, leaf }: NitroChain, { verifySignature }: Trust, now: number): Chain {
  // The certificates name CRLs, and AWS says that they are not to be used: none of these keys lives longer than a few weeks.
  const link = (name: string, { certificate }: KnownCertificate): Link => ({ name, certificate, revocation: null });
  const upwards = issuers.map((issuer, at) => link(`cabundle[${at + 1}]`, issuer)).toReversed();
  return {
    now,
    verifySignature,
    algorithms: [ecdsaP384],
    knownExtensions: [],
    links: [link("enclave", leaf), ...upwards],
    root: root.certificate,
  };
}

/** The chain's own rule takes a leaf that says nothing of its key's use; AWS's always do. */
function leafKeyUsage({ keyUsage }: Certificate): Finding {
  const signs = keyUsage?.digitalSignature ?? false;
  const certifies = (keyUsage?.keyCertSign ?? false) || (keyUsage?.crlSign ?? false);
  return compared({
    step: "authenticate",
    check: "leaf-key-usage",
    subject: "enclave",
    code: "bad-chain",
    holds: signs && !certifies,
    expected: "enclave certificate: digitalSignature, neither keyCertSign nor cRLSign",
    actual: keyUsage === null ? "no key usage" : `digitalSignature ${signs}, keyCertSign or cRLSign ${certifies}`,
    passed: "The enclave's key is for signing documents.",
    failed: "The enclave's key is not one for signing documents.",
  });
}

async function compareSignature(
  { signature, signed }: NitroDocument,
  { leaf }: NitroChain,
  { verifyDocument }: Trust,
): Promise<Finding> {
  const holds = await verifyDocument(es384.signature, leaf.certificate.key, signature, signed);
  return compared({
    step: "authenticate",
    check: "evidence-signature",
    code: "bad-signature",
    holds,
    expected: "a document signed by the key of the enclave's certificate, with ECDSA on P-384",
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The module that the chain vouches for signed this document.",
    failed: "The document was changed, or another module signed it.",
  });
}
