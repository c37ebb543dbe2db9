/** The TEE `nitro`: AWS Nitro Enclaves. */
import type { ParsedEvidence, Tee } from "../tee.ts";
import { rememberSignatures, verifyRawSignature } from "../x509/index.ts";
import { appraiseDocument, zeroCodePcrs } from "./appraisal.ts";
import { readChain } from "./chain.ts";
import { authenticateDocument, type Trust } from "./endorsements.ts";
import { parseNitroDocument, PCR_LENGTH } from "./evidence.ts";
import { factsOf, registersOf } from "./facts.ts";
import { rememberCertificates } from "./known-certificates.ts";
import { nitroRoots, type PinnedRoot } from "./roots.ts";

/**
 * Accepts attestation documents of AWS Nitro Enclaves under AWS's own root. A tuple of Reference Values names `pcr0`, `pcr1`
 * and `pcr2`. The chain is inside the document, so the Endorsements are `{}`; nothing is requested.
 *
 * @example createVerifier({ tees: [nitro()], referenceValues, policy: strictPolicy, now: () => new Date() })
 */
export function nitro(): Tee {
  return nitroUnder(nitroRoots);
}

/** The same under other roots: for fake vendors. Not part of the package's interface. */
export function nitroUnder(roots: readonly PinnedRoot[]): Tee {
  const trust: Trust = {
    roots,
    reading: rememberCertificates(),
    verifySignature: rememberSignatures(),
    verifyDocument: rememberSignatures(verifyRawSignature),
  };
  return {
    kind: "nitro",
    tuples: [{ pcr0: PCR_LENGTH, pcr1: PCR_LENGTH, pcr2: PCR_LENGTH }],
    requiredChecks,
    measurementRegister: "pcr0",
    excusableRegisters: [],
    parseEvidence: (bytes) => readEvidence(bytes, trust),
    boundForm: async (binding) => binding,
  };
}

const requiredChecks: readonly string[] = [
  "endorsements-form",
  "pinned-root",
  "certificate-issuer",
  "certificate-signature",
  "certificate-extensions",
  "certificate-authority",
  "certificate-use",
  "certificate-validity",
  "leaf-key-usage",
  "document-time",
  "evidence-age",
  "document-nonce",
  "document-public-key",
  "instance-role",
  "instance",
  "image-signer",
];

function readEvidence(bytes: Uint8Array, trust: Trust): ParsedEvidence {
  const document = parseNitroDocument(bytes);
  const chain = readChain(document, trust.reading);
  return {
    registers: registersOf(document),
    facts: factsOf(document),
    // AWS keeps the platform's firmware up to date itself and shows no version of it.
    tcb: "none",
    debug: zeroCodePcrs(document).length > 0,
    bound: document.userData ?? new Uint8Array(),
    authenticate: async (endorsements, policy, now) => ({
      findings: await authenticateDocument(document, chain, endorsements, trust, policy, now),
      registers: {},
      facts: {},
    }),
    appraisePlatform: (policy) => appraiseDocument(document, policy),
  };
}
