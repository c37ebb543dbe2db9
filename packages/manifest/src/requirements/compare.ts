import { signingKeys, tokenTermsOf } from "../access/token-keys.ts";
import type { Logs, Manifest, Operations } from "../manifest.ts";
import { compareEgress } from "./egress.ts";
import { HEALTH, LOGS, METRICS } from "./order.ts";
import { acceptedTerms, compareAuditors, comparePrincipals } from "./principals.ts";
import type { CheckedRequirement, RequirementDifference } from "./requirement.ts";
import { compareRules } from "./rules.ts";

/**
 * Everything in which a Manifest goes beyond a requirement: one difference a principal, a rule, a right. Empty: it is
 * within. It compares what the two mean, and does not check that the box enforces this Manifest. Asynchronous only because
 * thumbprints of keys are hashed.
 */
export async function compareRequirement(
  manifest: Manifest,
  requirement: CheckedRequirement,
): Promise<readonly RequirementDifference[]> {
  const keysOf = await signingKeys([...tokenTermsOf(manifest.access.principals), ...acceptedTerms(requirement)]);
  return [
    ...compareImage(manifest.app.image, requirement.app.image),
    ...comparePrincipals(manifest, requirement.access.principals.subsetOf, keysOf),
    ...compareRules(manifest.access.rules, requirement.access),
    ...compareEgress(manifest.egress, requirement.egress),
    ...compareLogs(manifest.logs, requirement.logs),
    ...compareOperations(manifest.operations, requirement.operations),
    ...compareAuditors(manifest, requirement.audit, keysOf),
  ];
}

function compareImage(image: string, accepted: string): RequirementDifference[] {
  if (accepted === "any" || image === accepted) return [];
  const reason = "another image runs than the one that the requirement accepts";
  return [{ part: "app", path: "app.image", expected: accepted, actual: image, reason }];
}

function compareLogs(logs: Logs, accepted: Logs): RequirementDifference[] {
  if (LOGS.indexOf(logs) <= LOGS.indexOf(accepted)) return [];
  const reason = "more leaves the box as a log than the requirement accepts";
  return [{ part: "logs", path: "logs", expected: `${accepted}, or less`, actual: logs, reason }];
}

function compareOperations(
  { health, metrics }: Operations,
  accepted: CheckedRequirement["operations"],
): RequirementDifference[] {
  const differences: RequirementDifference[] = [];
  if (HEALTH.indexOf(health) > HEALTH.indexOf(accepted.health)) {
    const reason = "whoever runs the box is told whether the application is ready, which it can signal with";
    differences.push({ part: "operations", path: "operations.health", expected: "live", actual: health, reason });
  }
  if (METRICS.indexOf(metrics) > METRICS.indexOf(accepted.metrics)) {
    const reason = "whoever runs the box is told counts that the requirement does not accept";
    differences.push({ part: "operations", path: "operations.metrics", expected: "none", actual: metrics, reason });
  }
  return differences;
}
