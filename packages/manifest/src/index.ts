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
export { apiKeyDigest, isApiKey } from "./api-key.ts";
export { MAX_MANIFEST_BYTES, MAX_TARGET_LENGTH } from "./limits.ts";
export {
  type Access,
  type AccessRule,
  ANONYMOUS,
  type ApiKeyPrincipal,
  type App,
  type CertificatePrincipal,
  type Egress,
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
  type Resources,
  type User,
  type VerifiedEgress,
} from "./manifest.ts";
export { type Output, outputsOf } from "./outputs.ts";
export { formatProblem, ManifestError, type Problem } from "./problem.ts";
export { formatManifest, manifestDigest, parseManifest } from "./resolved.ts";
export { secretLookingEnv } from "./secrets.ts";
export { readTarget, type Target } from "./target.ts";
export { unsupportedYet } from "./unsupported.ts";
