export { apiKeyDigest, isApiKey } from "./api-key.ts";
export {
  type AccessDecider,
  type AccessDecision,
  type AccessRequest,
  type Admission,
  createAccessDecider,
  type Identity,
  type KnownCaller,
  type Refusal,
  type UnknownCaller,
} from "./access/decider.ts";
export type { CertificateFacts, PresentedFacts, TokenFacts } from "./access/facts.ts";
export { METHOD_OVERRIDES } from "./access/method-overrides.ts";
export { isReservedPath, RESERVED_PATH } from "./access/paths.ts";
export {
  type AlternativeName,
  ANONYMOUS,
  type ApiKeyFactor,
  type ApiKeyPrincipal,
  type CertificateFactor,
  type CertificatePrincipal,
  type CertificateTerms,
  type ClaimTerm,
  type CombinedPrincipal,
  type Factor,
  type FactorKind,
  factorsOf,
  type InlineKeys,
  type Jwk,
  type JwtAlgorithm,
  type JwtFactor,
  type JwtPrincipal,
  kindOfFactor,
  type Named,
  type NameAttribute,
  type NameAttributeType,
  type PinnedKeys,
  type Principal,
  type TokenTerms,
} from "./access/principal.ts";
export type { Access, AccessRule, HeaderTerm, Limits, MutualTls } from "./access/rule.ts";
export { type KeysLocation, keysLocation, publishedKeys } from "./access/published-keys.ts";
export { fittingAlgorithms, jwkThumbprint, type TokenIssuer, tokenIssuers } from "./access/token-keys.ts";
export { type PolicyChange, policyDiff } from "./diff/index.ts";
export {
  createEgressDecider,
  type EgressConnection,
  type EgressConnectionDecision,
  type EgressDecider,
  type EgressRequest,
  type EgressRequestDecision,
} from "./egress/decider.ts";
export type { EgressSource, VerifiedEgressSource } from "./egress/shape.ts";
export {
  type Exposure,
  EXPOSURE_TARGETS,
  exposureOf,
  type ExposureTarget,
  type Observer,
  type Sight,
} from "./exposure/index.ts";
export { isIpv4Literal, normalizeHostName } from "./host-name.ts";
export { MAX_MANIFEST_BYTES, MAX_TARGET_LENGTH } from "./limits.ts";
export type {
  App,
  AuditTrail,
  Egress,
  HttpEgress,
  Logs,
  Manifest,
  Metrics,
  Operations,
  PassthroughEgress,
  Ready,
  RequestRules,
  Resources,
  TcpEgress,
  User,
  VerifiedEgress,
} from "./manifest.ts";
export type { Method } from "./method.ts";
export { type Output, outputsOf } from "./outputs.ts";
export { BOX_PORT } from "./ports.ts";
export { formatProblem, ManifestError, type Problem } from "./problem.ts";
export {
  type CheckedPrincipal,
  type CheckedRequirement,
  compareRequirement,
  type ManifestRequirement,
  readRequirement,
  REQUIREMENT_PARTS,
  type RequiredAccess,
  type RequiredCertificate,
  type RequiredEgress,
  type RequiredFactor,
  type RequiredPrincipal,
  type RequirementDifference,
  type RequirementPart,
} from "./requirements/index.ts";
export { formatManifest, manifestDigest, parseManifest } from "./resolved.ts";
export { secretLookingEnv } from "./secrets.ts";
export { readTarget, type Target } from "./target.ts";
