/** From the quote up to Intel's root: PCK chain, quoting enclave's report, attestation key, quote. */
import { equalBytes, toHex } from "@blindbox/encoding";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import { ecdsaP256, verifyChain } from "../x509/index.ts";
import type { TrustAnchor } from "./anchor.ts";
import type { AttestationKey } from "./attestation-key.ts";
import type { TdxQuestion } from "./question.ts";
import type { TdQuote } from "./evidence.ts";

/** Common name of every platform's certificate. */
const pckName = "Intel SGX PCK Certificate";

/** The CAs that issue them, with the policy's name of their CRLs. */
export const PCK_AUTHORITIES: ReadonlyMap<string | null, "intelPlatform" | "intelProcessor"> = new Map([
  ["Intel SGX PCK Platform CA", "intelPlatform"],
  ["Intel SGX PCK Processor CA", "intelProcessor"],
]);

/** In order: root, chain, quoting enclave's report, attestation key, quote. Revocation comes with the Endorsements. */
export async function originFindings(question: TdxQuestion): Promise<readonly Finding[]> {
  const { quote } = question;
  const [root, chain, qeReport, key, signature] = await Promise.all([
    pinnedRoot(question),
    pckChain(question),
    qeReportSignature(question),
    keyBinding(question),
    quoteSignature(question),
  ]);
  return [root, ...certificateNames(quote), ...chain, qeReport, key, signature];
}

async function pinnedRoot({ quote, anchor }: TdxQuestion): Promise<Finding> {
  const holds = await anchor.isRoot(quote.pck.rootDer);
  return compared({
    step: "authenticate",
    check: "pinned-root",
    code: "untrusted-root",
    holds,
    expected: "a chain that ends at Intel's root",
    actual: holds ? "that root" : "another root",
    passed: "The chain ends at Intel's root.",
    failed: "The chain ends at a root that anybody can make.",
  });
}

function certificateNames({ pck: { leafName, intermediateName } }: TdQuote): readonly Finding[] {
  const name = (subject: string, expected: readonly string[], holds: boolean): Finding =>
    compared({
      step: "authenticate",
      check: "certificate-name",
      subject,
      code: "bad-chain",
      holds,
      expected: expected.join(" or "),
      actual: holds ? "that name" : "another name",
      passed: "Intel named the certificate for this use.",
      failed: "Intel's root issues certificates for other uses too, and this is one of those.",
    });
  const authorities = [...PCK_AUTHORITIES.keys()].filter((each) => each !== null);
  return [
    name("intermediate", authorities, PCK_AUTHORITIES.has(intermediateName)),
    name("pck", [pckName], leafName === pckName),
  ];
}

function pckChain({ quote: { pck }, anchor, now }: TdxQuestion): Promise<readonly Finding[]> {
  return verifyChain({
    now,
    verifySignature: anchor.verifySignature,
    algorithms: [ecdsaP256],
    knownExtensions: [],
    links: [
      { name: "pck", certificate: pck.leaf, revocation: null },
      { name: "intermediate", certificate: pck.intermediate, revocation: null },
    ],
    root: pck.root,
  });
}

async function qeReportSignature({ quote, anchor }: TdxQuestion): Promise<Finding> {
  const { qe, qeSignature, pck } = quote;
  const holds = await anchor.verifyRawSignature(ecdsaP256, pck.leaf.key, qeSignature, qe.signed);
  return compared({
    step: "authenticate",
    check: "qe-report-signature",
    code: "bad-qe-signature",
    holds,
    expected: "a report of the quoting enclave, signed by the platform's PCK",
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The platform that Intel certified vouches for the quoting enclave.",
    failed: "The quoting enclave's report was changed, or is another platform's.",
  });
}

/** The whole 64 bytes count: what the enclave put behind the digest would otherwise be anybody's to choose. */
async function keyBinding({ quote, anchor }: TdxQuestion): Promise<Finding> {
  const { reportData } = quote.qe;
  const expected = await keyOf(quote, anchor).bound;
  return compared({
    step: "authenticate",
    check: "attestation-key",
    code: "bad-ak-binding",
    holds: equalBytes(reportData, expected),
    expected: toHex(expected),
    actual: toHex(reportData),
    passed: "The quoting enclave made the key that signed the quote.",
    failed: "Anybody may have made the key that signed the quote.",
  });
}

function keyOf({ attestationKey, qeAuthData }: TdQuote, anchor: TrustAnchor): AttestationKey {
  return anchor.readAttestationKey(toHex(attestationKey) + toHex(qeAuthData));
}

async function quoteSignature({ quote, anchor }: TdxQuestion): Promise<Finding> {
  const { signature, signed } = quote;
  const holds = await anchor.verifyQuoteSignature(ecdsaP256, keyOf(quote, anchor).key, signature, signed);
  return compared({
    step: "authenticate",
    check: "evidence-signature",
    code: "bad-signature",
    holds,
    expected: "a quote signed by the attestation key",
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The quoting enclave signed this quote.",
    failed: "The quote was changed, or another key signed it.",
  });
}
