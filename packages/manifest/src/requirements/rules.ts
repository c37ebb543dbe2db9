import type { AccessRule } from "../access/rule.ts";
import type { CheckedRequirement, RequirementDifference } from "./requirement.ts";

/** Rules under which callers may have what the requirement keeps from everybody. */
export function compareRules(
  rules: readonly AccessRule[],
  { websocket, recorded }: Pick<CheckedRequirement["access"], "websocket" | "recorded">,
): RequirementDifference[] {
  return rules.flatMap((rule, index) => {
    const differences: RequirementDifference[] = [];
    const path = `access.rules[${index}]`;
    if (!websocket && rule.upgrade === "websocket") differences.push(webSocketAt(`${path}.upgrade`));
    if (recorded && !rule.audit) differences.push(unrecordedAt(`${path}.audit`));
    return differences;
  });
}

function webSocketAt(path: string): RequirementDifference {
  const reason = "a request may become a WebSocket, into which the box does not look";
  return { part: "websocket", path, expected: "none", actual: "websocket", reason };
}

function unrecordedAt(path: string): RequirementDifference {
  const reason = "requests are answered that the access log does not tell of";
  return { part: "recorded", path, expected: "true", actual: "false", reason };
}
