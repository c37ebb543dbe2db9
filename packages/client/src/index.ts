export {
  type AppraisalException,
  AttestationError,
  type AttestationErrorCode,
  type AttestationResult,
  type AppraisalPolicy,
  azureVtpm,
  ChannelBindingError,
  DebugModeError,
  type Finding,
  InvalidEnclaveCode,
  nitro,
  NotAnEnclaveError,
  OutdatedPlatformError,
  OutdatedReleaseError,
  RevokedEndorsementError,
  SecurityPolicyError,
  sevSnp,
  simulated,
  StaleEvidenceError,
  strictPolicy,
  tdx,
  type Tee,
  UntrustedReleaseError,
  type VerificationInput,
} from "@blindbox/attestation";
export type { ManifestRequirement, RequiredEgress, RequiredPrincipal } from "@blindbox/manifest";
export { type AcceptanceOptions, isAccepted, refusalOf } from "./appraisal/acceptance.ts";
export { ConnectionError, type ConnectionErrorCode, type ConnectionPhase, TimeoutError } from "./connection-error.ts";
export type {
  AcceptableWarning,
  CallerCredentials,
  ClientCertificate,
  Credentials,
  ReleaseSource,
  SessionOptions,
  TimeoutOptions,
  TokenSource,
  VerifyOptions,
} from "./options/options.ts";
export type { Requirement, RequirementByMeaning, SandboxDriver } from "./options/requirement.ts";
export type { SessionFetch } from "./request/fetch-input.ts";
export type { SessionRequestInit } from "./request/init.ts";
export { type RecordedExchange, recordBox, type RecordedVerification, verifyRecorded } from "./recorded.ts";
export { SecureSession } from "./session.ts";
export type { RequestBody } from "./transport/transport.ts";
export { verifyBox } from "./verify-box.ts";
