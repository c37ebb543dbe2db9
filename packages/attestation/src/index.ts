export * from "./types.ts";
export * from "./self-test.ts";
export { EXPORTER_LABEL, bindingOf, formatStatement, leafHash, parseStatement } from "./binding.ts";
export {
  EVIDENCE_MEDIA_TYPE,
  EVIDENCE_PATH,
  MAX_EVIDENCE_DOCUMENT_BYTES,
  formatEvidenceDocument,
  parseEvidenceDocument,
} from "./document.ts";
export { MAX_ATTESTATION_REQUEST_BYTES, formatAttestationRequest, parseAttestationRequest } from "./request.ts";
export * from "./ledger/index.ts";
export * from "./simulated/index.ts";
export { strictPolicy, type AppraisalPolicy } from "./appraisal-policy.ts";
export type { ParsedEvidence, Tee } from "./tee.ts";
export type { ChannelEvidence, Connection, VerificationInput } from "./input.ts";
export { createVerifier, type Verifier, type VerifierOptions } from "./verifier.ts";
export * from "./errors.ts";
