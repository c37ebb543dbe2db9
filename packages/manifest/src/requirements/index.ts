export { compareRequirement } from "./compare.ts";
export type {
  CheckedRequirement,
  ManifestRequirement,
  RequiredEgress,
  RequiredPrincipal,
  RequirementDifference,
} from "./requirement.ts";
export { readRequirement, REQUIREMENT_PARTS } from "./shape.ts";
