/** The quote: signed by the key that the paravisor names, and over the PCRs that came along. The nonce the Statement answers for. */
import { concatBytes, digest, equalBytes, toHex } from "@blindbox/encoding";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import { rsaPkcs1Sha256, verifyRawSignature, type RsaPublicKey } from "../x509/index.ts";
import type { QuoteEvidence } from "./evidence.ts";

/** Signature, then digest of the PCRs. */
export async function quoteFindings(quoted: QuoteEvidence, key: RsaPublicKey): Promise<readonly Finding[]> {
  return Promise.all([compareSignature(quoted, key), comparePcrs(quoted)]);
}

async function compareSignature({ quote, signature }: QuoteEvidence, key: RsaPublicKey): Promise<Finding> {
  const holds = await verifyRawSignature(rsaPkcs1Sha256, key, signature, quote.signed);
  return compared({
    step: "authenticate",
    check: "tpm-quote-signature",
    code: "bad-quote-signature",
    holds,
    expected: `a quote signed by the attestation key, with ${rsaPkcs1Sha256.name}`,
    actual: holds ? "signed by it" : "not signed by it",
    passed: "The virtual TPM of this machine signed the quote.",
    failed: "The quote was changed, or another machine's TPM signed it.",
  });
}

/** The TPM signs the digest alone: values that do not give it are anybody's. */
async function comparePcrs({ quote, pcrs }: QuoteEvidence): Promise<Finding> {
  const expected = await digest("SHA-256", concatBytes(...pcrs.values()));
  return compared({
    step: "authenticate",
    check: "pcr-digest",
    code: "pcr-mismatch",
    holds: equalBytes(quote.pcrDigest, expected),
    expected: toHex(expected),
    actual: toHex(quote.pcrDigest),
    passed: "The quoted PCRs have the values that came along.",
    failed: "The quoted PCRs have other values than the ones that came along.",
  });
}
