/** Who signed what Intel says: chains of a signing certificate and the root that the quote's own chain ends at. */
import { equalBytes } from "@blindbox/encoding";
import type { FailureCode } from "../failure-codes.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import { certificateRevocation, ecdsaP256, verifyChain, type Certificate, type Crl } from "../x509/index.ts";
import type { TrustAnchor } from "./anchor.ts";
import type { IssuerChain } from "./collateral.ts";
import type { TdxQuestion } from "./question.ts";

/** What Intel signs. */
export type TextPart = "tcbInfo" | "qeIdentity";

/** The chain of one text; whatever did not come is `null` and has been told of already. */
export interface IssuerChainQuestion {
  readonly part: TextPart;
  readonly chain: IssuerChain | null;
  readonly rootCrl: Crl | null;
}

const signerName = "Intel SGX TCB Signing";

const badChain: Readonly<Record<TextPart, FailureCode>> = {
  tcbInfo: "tcb-info-bad-chain",
  qeIdentity: "qe-identity-bad-chain",
};

/** One after the other: both texts mostly have the same chain, which is then remembered when the second is looked at. */
export async function issuerChainFindings(
  question: TdxQuestion,
  chains: readonly IssuerChainQuestion[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const chain of chains) findings.push(...(await issuerChain(question, chain)));
  return findings;
}

async function issuerChain(
  question: TdxQuestion,
  { part, chain, rootCrl }: IssuerChainQuestion,
): Promise<readonly Finding[]> {
  if (chain === null) return [];
  const name = `${part} signing`;
  const code = badChain[part];
  const links = [{ name, certificate: chain.signer, revocation: null }];
  const { root } = question.quote.pck;
  const { verifySignature } = question.anchor;
  const context = { now: question.now, verifySignature, algorithms: [ecdsaP256], knownExtensions: [] };
  const walked = await verifyChain({ ...context, links, root });
  // That the root may be one, and is valid, has been told with the quote's own chain.
  const own = walked.filter(({ subject }) => subject !== "root").map((finding) => withCode(finding, code));
  const revocation = rootCrl === null ? [] : [certificateRevocation(name, chain.signer, rootCrl)];
  return [sameRoot(question, part, chain, code), signerNamed(part, chain), ...own, ...revocation];
}

function withCode(finding: Finding, code: FailureCode): Finding {
  return finding.code === "bad-chain" ? { ...finding, code } : finding;
}

function sameRoot({ quote }: TdxQuestion, subject: string, { rootDer }: IssuerChain, code: FailureCode): Finding {
  const holds = equalBytes(rootDer, quote.pck.rootDer);
  return compared({
    step: "authenticate",
    check: "collateral-root",
    subject,
    code,
    holds,
    expected: "the root of the quote's own chain",
    actual: holds ? "that root" : "another root",
    passed: "One root stands above the platform and what is said of it.",
    failed: "Another root than the platform's stands above what is said of it.",
  });
}

function signerNamed(part: TextPart, chain: IssuerChain): Finding {
  const holds = chain.signerName === signerName;
  return compared({
    step: "authenticate",
    check: "collateral-signer",
    subject: part,
    code: badChain[part],
    holds,
    expected: signerName,
    actual: holds ? "that name" : "another name",
    passed: "Intel named the certificate for signing such texts.",
    failed: "Intel's root issues certificates for other uses too, and this is one of those.",
  });
}

/**
 * The chain beside the PCK CRL. The CRL is verified with the CA in the quote, so this one has to be the same CA, though perhaps
 * in a certificate that Intel issued anew: nothing else is derived from it.
 */
export async function pckCrlIssuerFindings(
  question: TdxQuestion,
  chain: IssuerChain | null,
): Promise<readonly Finding[]> {
  if (chain === null) return [];
  const { anchor, quote } = question;
  const { signer } = chain;
  const { intermediate, root } = quote.pck;
  // The quote's own certificate has been judged with the quote's own chain.
  const holds =
    isSame(signer, intermediate) || (isReissued(signer, intermediate) && (await isIssued(anchor, signer, root)));
  return [
    sameRoot(question, "pckCrl", chain, "bad-chain"),
    compared({
      step: "authenticate",
      check: "collateral-signer",
      subject: "pckCrl",
      code: "bad-chain",
      holds,
      expected: "the CA of the platform's certificate, certified by the root",
      actual: holds ? "that CA" : "another CA",
      passed: "The CRL's chain is the platform's.",
      failed: "The CRL's chain is not the platform's.",
    }),
  ];
}

function isSame(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.signed, b.signed) && equalBytes(a.signature, b.signature);
}

function isReissued(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.subject, b.subject) && equalBytes(a.spki, b.spki);
}

function isIssued({ verifySignature }: TrustAnchor, certificate: Certificate, root: Certificate): Promise<boolean> {
  return verifySignature(certificate.algorithm, root.key, certificate.signature, certificate.signed);
}
