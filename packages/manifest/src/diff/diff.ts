import { MODES } from "../egress/shape.ts";
import type { Egress, Manifest } from "../manifest.ts";
import { compareEgress } from "../requirements/egress.ts";
import { HEALTH, LOGS, METRICS } from "../requirements/order.ts";
import { diffAccess } from "./access.ts";
import { diffApp } from "./app.ts";
import { directionOf, type PolicyChange } from "./change.ts";

/**
 * What became wider and what narrower from one Manifest to the next, each with its place and in words. It asks the deciders
 * that enforce them. Where nothing is `wider`, every request that `after` lets in `before` lets in too, from the same caller
 * presenting the same or less, with limits that are as large and no record that `after` does not write; and every way out of
 * `after` is one of `before`. What cannot be decided is `wider`.
 */
export async function policyDiff(before: Manifest, after: Manifest): Promise<readonly PolicyChange[]> {
  return [
    ...diffApp(before, after),
    ...(await diffAccess(before.access, after.access)),
    ...diffListener(before, after),
    ...diffEgress(before.egress, after.egress, "wider"),
    ...diffEgress(after.egress, before.egress, "narrower"),
    ...diffLogs(before, after),
    ...diffOperations(before, after),
    ...diffEntries(before, after),
  ];
}

function diffListener(before: Manifest, after: Manifest): readonly PolicyChange[] {
  const [from, to] = [before, after].map(({ access }) => access.mutualTls?.port ?? null);
  if (from === to) return [];
  const words = `the port for client certificates goes from ${from ?? "none"} to ${to ?? "none"}`;
  const path = "access.mutualTls";
  return [{ direction: "changed", part: "access", path, document: to === null ? "before" : "after", words }];
}

function diffEgress(
  accepted: readonly Egress[],
  rules: readonly Egress[],
  direction: "wider" | "narrower",
): readonly PolicyChange[] {
  const document = direction === "wider" ? "after" : "before";
  const when = direction === "wider" ? "new" : "gone";
  return compareEgress(rules, { subsetOf: accepted, modes: MODES }).map(({ path, actual }) => {
    const { host = "", mode = "" } = rules[Number(/[0-9]+/.exec(path)?.[0])] ?? {};
    const what = actual === host || actual === mode ? "" : `, ${actual}`;
    return { direction, part: "egress", path, document, words: `${when}: ${host} in mode ${mode}${what}` };
  });
}

function diffLogs(before: Manifest, after: Manifest): readonly PolicyChange[] {
  const direction = directionOf(LOGS, before.logs, after.logs);
  if (direction === null) return [];
  const words = `what leaves as a log goes from ${before.logs} to ${after.logs}`;
  return [{ direction, part: "logs", path: "logs", document: "after", words }];
}

function diffOperations({ operations: before }: Manifest, { operations: after }: Manifest): readonly PolicyChange[] {
  const changes: PolicyChange[] = [];
  const add = (member: string, direction: PolicyChange["direction"] | null, words: string): void => {
    if (direction !== null)
      changes.push({ direction, part: "operations", path: `operations.${member}`, document: "after", words });
  };
  const health = `what /readyz follows goes from ${before.health} to ${after.health}`;
  add("health", directionOf(HEALTH, before.health, after.health), health);
  const metrics = `metrics for whoever runs the box go from ${before.metrics} to ${after.metrics}`;
  add("metrics", directionOf(METRICS, before.metrics, after.metrics), metrics);
  const port = `the port for whoever runs the box goes from ${before.port ?? "none"} to ${after.port ?? "none"}`;
  add("port", portDirection(before.port, after.port), port);
  return changes;
}

function portDirection(before: number | null, after: number | null): PolicyChange["direction"] | null {
  if (before === after) return null;
  if (before === null) return "wider";
  return after === null ? "narrower" : "changed";
}

// Fewer entries are a shorter memory of who asked what.
function diffEntries({ audit: before }: Manifest, { audit: after }: Manifest): readonly PolicyChange[] {
  if (before.entries === after.entries) return [];
  const direction = after.entries < before.entries ? "wider" : "narrower";
  const words = `the access log keeps ${after.entries} entries instead of ${before.entries}`;
  return [{ direction, part: "audit", path: "audit.entries", document: "after", words }];
}
