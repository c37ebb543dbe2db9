import { isPathWithin } from "../access/paths.ts";
import { hostCovers } from "../host-name.ts";
import type { Egress, RequestRules, VerifiedEgress } from "../manifest.ts";
import type { CheckedRequirement, RequirementDifference } from "./requirement.ts";

/**
 * Rules that let out more than the accepted ones together: one difference a rule, which names the first thing that goes
 * beyond. What cannot be decided goes beyond. A rule is within if each of its ports, and each method and path on it, is
 * within one accepted rule for that host, in the same mode and no weaker manner.
 */
export function compareEgress(
  rules: readonly Egress[],
  { subsetOf, modes }: CheckedRequirement["egress"],
): RequirementDifference[] {
  return rules.flatMap((rule, index) => {
    const excess = excessOf(rule, subsetOf, modes);
    const path = `egress[${index}]`;
    return excess === null ? [] : [{ part: "egress", path, ...excess } satisfies RequirementDifference];
  });
}

type Excess = Pick<RequirementDifference, "expected" | "actual" | "reason">;

function excessOf(rule: Egress, accepted: readonly Egress[], modes: readonly Egress["mode"][]): Excess | null {
  if (!modes.includes(rule.mode)) {
    const reason = `the application reaches ${rule.host} in a mode that the requirement does not accept`;
    return { expected: modes.join(" or ") || "no way out", actual: rule.mode, reason };
  }
  return narrow(rule, accepted);
}

interface Narrowing {
  /** Whether an accepted rule stays in the race. */
  readonly holds: (rule: Egress, accepted: Egress) => boolean;
  readonly excess: (rule: Egress) => Excess;
}

/** What must hold of one accepted rule before its ports, methods and paths count, in the order of telling. */
const NARROWINGS: readonly Narrowing[] = [
  {
    holds: (rule, accepted) => accepted.host === rule.host || hostCovers(accepted.host, rule.host),
    excess: ({ host }) => ({
      expected: "a host that an accepted rule covers",
      actual: host,
      reason: `the application can reach ${host}, which no accepted rule covers`,
    }),
  },
  {
    holds: (rule, accepted) => accepted.mode === rule.mode,
    excess: ({ host, mode }) => ({
      expected: "the mode of an accepted rule for that host",
      actual: mode,
      reason: `the application reaches ${host} in a mode that no accepted rule for it has`,
    }),
  },
  {
    holds: (rule, accepted) => areRootsWithin(verifiedOf(rule), verifiedOf(accepted)),
    excess: ({ host }) => ({
      expected: "no other roots than those of an accepted rule",
      actual: "other roots",
      reason: `who ${host} is rests on roots that no accepted rule names`,
    }),
  },
  {
    holds: (rule, accepted) => arePinsWithin(verifiedOf(rule), verifiedOf(accepted)),
    excess: ({ host }) => ({
      expected: "the pins of an accepted rule, or a part of them",
      actual: "none, or others",
      reason: `keys of ${host} are accepted that the pins of the accepted rules exclude`,
    }),
  },
  {
    holds: (rule, accepted) => verifiedOf(rule)?.websocket !== true || verifiedOf(accepted)?.websocket === true,
    excess: ({ host }) => ({
      expected: "no WebSocket",
      actual: "websocket: true",
      reason: `a request to ${host} may become a WebSocket, into which the box does not look`,
    }),
  },
];

function narrow(rule: Egress, accepted: readonly Egress[]): Excess | null {
  let left = accepted;
  for (const { holds, excess } of NARROWINGS) {
    left = left.filter((each) => holds(rule, each));
    if (left.length === 0) return excess(rule);
  }
  return portExcess(rule, left) ?? requestExcess(rule, left);
}

function portExcess(rule: Egress, accepted: readonly Egress[]): Excess | null {
  const beyond = rule.ports.filter((port) => !accepted.some((each) => each.ports.includes(port)));
  if (beyond.length === 0) return null;
  const reason = `the application can reach ${rule.host} on ports that no accepted rule for it names`;
  return { expected: "the ports of accepted rules", actual: beyond.join(", "), reason };
}

function requestExcess(rule: Egress, accepted: readonly Egress[]): Excess | null {
  if (!("methods" in rule)) return null;
  for (const port of rule.ports) {
    const onPort = accepted.filter((each) => "methods" in each && each.ports.includes(port));
    const beyond = requestsOf(rule).find(
      (one) => !onPort.some((each) => "methods" in each && isRequestWithin(one, each)),
    );
    if (beyond === undefined) continue;
    const reason = `requests to ${rule.host} are allowed that no accepted rule for it allows`;
    return { expected: "methods and paths of accepted rules", actual: `${describe(beyond)} on port ${port}`, reason };
  }
  return null;
}

/** One method, or any, on one path, or any. */
interface RequestPair {
  readonly method: string;
  readonly path: string;
}

function requestsOf({ methods, paths }: RequestRules): readonly RequestPair[] {
  return wordsOf(methods).flatMap((method) => wordsOf(paths).map((path) => ({ method, path })));
}

function wordsOf(words: readonly string[] | "any"): readonly string[] {
  return words === "any" ? ["any"] : words;
}

function describe({ method, path }: RequestPair): string {
  return `${method === "any" ? "any method" : method} on ${path === "any" ? "any path" : path}`;
}

function isRequestWithin({ method, path }: RequestPair, { methods, paths }: RequestRules): boolean {
  const isMethodWithin = methods === "any" || (method !== "any" && wordsOf(methods).includes(method));
  return isMethodWithin && (paths === "any" || (path !== "any" && paths.some((each) => isPathWithin(path, each))));
}

function verifiedOf(rule: Egress): VerifiedEgress | null {
  return rule.mode === "verified" ? rule : null;
}

// Neither set of roots can be known to lie within the measured store, nor the store within a set.
function areRootsWithin(rule: VerifiedEgress | null, accepted: VerifiedEgress | null): boolean {
  const roots = accepted?.roots ?? null;
  if (rule === null || rule.roots === null || roots === null) return (rule?.roots ?? null) === roots;
  return rule.roots.every((root) => roots.includes(root));
}

function arePinsWithin(rule: VerifiedEgress | null, accepted: VerifiedEgress | null): boolean {
  const pins = accepted?.pins ?? [];
  if (rule === null || pins.length === 0) return true;
  return rule.pins.length > 0 && rule.pins.every((pin) => pins.includes(pin));
}
