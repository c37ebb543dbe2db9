export { compareRequirement } from "./compare.ts";
export type {
  CheckedPrincipal,
  CheckedRequirement,
  ManifestRequirement,
  RequiredAccess,
  RequiredCertificate,
  RequiredEgress,
  RequiredFactor,
  RequiredPrincipal,
  RequirementDifference,
  RequirementPart,
} from "./requirement.ts";
export { readRequirement, REQUIREMENT_PARTS } from "./shape.ts";
