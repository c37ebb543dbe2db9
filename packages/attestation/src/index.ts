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
export * from "./access-log/index.ts";
export * from "./ledger/index.ts";
export { linkBytes, originBytes, type ChainRecord, type RecordChain } from "./record-chain.ts";
export * from "./azure-aci/index.ts";
export * from "./azure-vtpm/index.ts";
export * from "./nitro/index.ts";
export * from "./sev-snp/index.ts";
export * from "./tdx/index.ts";
export * from "./simulated/index.ts";
export { FAILURE_CODES, type FailureCode } from "./failure-codes.ts";
export { EXCUSABLE_CHECKS, type AppraisalException, type ExcusableCheck } from "./exceptions.ts";
export { CRL_ISSUERS, ENDORSEMENT_KINDS, type CrlIssuer, type EndorsementKind } from "./endorsement-kinds.ts";
export { readAppraisalPolicy, strictPolicy, type AppraisalPolicy } from "./appraisal-policy.ts";
export type { Authentication, ParsedEvidence, RegisterForm, Tee, TupleShape } from "./tee.ts";
export type { ChannelEvidence, Connection, VerificationInput } from "./input.ts";
export { createVerifier, type Verifier, type VerifierOptions } from "./verifier.ts";
export * from "./errors.ts";
