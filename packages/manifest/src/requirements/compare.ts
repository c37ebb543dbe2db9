import type { Logs, Manifest } from "../manifest.ts";
import { compareEgress } from "./egress.ts";
import { compareAuditors, comparePrincipals } from "./principals.ts";
import type { CheckedRequirement, RequirementDifference } from "./requirement.ts";

/** From the least to the most that leaves the box. */
const LOGS: readonly Logs[] = ["none", "metadata", "app"];

/**
 * Everything in which a Manifest goes beyond a requirement: one difference a principal, a rule, a right. Empty: it is
 * within. It compares what the two mean, and does not check that the box enforces this Manifest.
 */
export function compareRequirement(
  manifest: Manifest,
  requirement: CheckedRequirement,
): readonly RequirementDifference[] {
  return [
    ...comparePrincipals(manifest, requirement.access.principals.subsetOf),
    ...compareEgress(manifest.egress, requirement.egress),
    ...compareLogs(manifest.logs, requirement.logs),
    ...compareAuditors(manifest, requirement.audit),
  ];
}

function compareLogs(logs: Logs, accepted: Logs): RequirementDifference[] {
  if (LOGS.indexOf(logs) <= LOGS.indexOf(accepted)) return [];
  const reason = "more leaves the box as a log than the requirement accepts";
  return [{ part: "logs", path: "logs", expected: `${accepted}, or less`, actual: logs, reason }];
}
