export {
  type AccessDecider,
  type AccessDecision,
  type AccessRequest,
  type Admission,
  createAccessDecider,
  isReservedPath,
  type Refusal,
  RESERVED_PATH,
} from "./access.ts";
export { type AuditDecider, createAuditDecider } from "./auditors.ts";
export { apiKeyDigest, isApiKey } from "./api-key.ts";
export {
  createEgressDecider,
  type EgressConnection,
  type EgressConnectionDecision,
  type EgressDecider,
  type EgressRequest,
  type EgressRequestDecision,
} from "./egress/decider.ts";
export type { EgressSource, VerifiedEgressSource } from "./egress/shape.ts";
export { isIpv4Literal, normalizeHostName } from "./host-name.ts";
export { MAX_MANIFEST_BYTES, MAX_TARGET_LENGTH } from "./limits.ts";
export {
  type Access,
  type AccessRule,
  ANONYMOUS,
  type ApiKeyPrincipal,
  type App,
  type CertificatePrincipal,
  type Egress,
  type HttpEgress,
  type Jwk,
  type JwkSet,
  type JwtAlgorithm,
  type JwtPrincipal,
  type Limits,
  type Logs,
  type Manifest,
  type Method,
  type PassthroughEgress,
  type Principal,
  type Ready,
  type RequestRules,
  type Resources,
  type TcpEgress,
  type User,
  type VerifiedEgress,
} from "./manifest.ts";
export { type Output, outputsOf } from "./outputs.ts";
export { formatProblem, ManifestError, type Problem } from "./problem.ts";
export {
  type CheckedRequirement,
  compareRequirement,
  type ManifestRequirement,
  readRequirement,
  REQUIREMENT_PARTS,
  type RequiredEgress,
  type RequiredPrincipal,
  type RequirementDifference,
} from "./requirements/index.ts";
export { formatManifest, manifestDigest, parseManifest } from "./resolved.ts";
export { secretLookingEnv } from "./secrets.ts";
export { readTarget, type Target } from "./target.ts";
export { unsupportedYet } from "./unsupported.ts";
