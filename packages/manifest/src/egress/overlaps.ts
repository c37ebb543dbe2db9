import { hostCovers } from "../host-name.ts";
import type { Egress } from "../manifest.ts";
import { checked, list, readsQuietly, type Shape, type Site } from "../shape/index.ts";

/** Most rules of one Manifest. */
const MAX_RULES = 64;

/** Most distinct ports of all rules: the box listens on each. */
const MAX_PORTS = 64;

/** All ways out: each of the shape `rule`, no two that overlap and disagree, not too many ports. */
export function egressListShape(rule: Shape<Egress>): Shape<readonly Egress[]> {
  return checked(list(rule, { min: 0, max: MAX_RULES }), (value, at) => {
    if (!Array.isArray(value) || value.length > MAX_RULES) return;
    // Rules with a problem of their own are compared by nobody: they are reported already.
    const rules = value.map((each: unknown) => readsQuietly(rule, each));
    reportDisagreements(rules, at);
    reportPorts(rules, at);
  });
}

// Which of two rules holds would otherwise rest on their order, and a weaker one could hide behind a stronger.
function reportDisagreements(rules: readonly (Egress | undefined)[], at: Site): void {
  rules.forEach((rule, index) => {
    if (rule === undefined) return;
    const other = rules
      .slice(0, index)
      .findIndex((each) => each !== undefined && overlap(each, rule) && disagree(each, rule));
    if (other === -1) return;
    at.item(index).problem(
      `the same mode, websocket, pins and roots as ${at.item(other).path}, which covers the same host and port`,
      "a rule that disagrees",
      "rules that overlap can differ in methods and paths only",
    );
  });
}

function overlap(one: Egress, other: Egress): boolean {
  const hosts = one.host === other.host || hostCovers(one.host, other.host) || hostCovers(other.host, one.host);
  return hosts && one.ports.some((port) => other.ports.includes(port));
}

function disagree(one: Egress, other: Egress): boolean {
  return mannerOf(one) !== mannerOf(other);
}

/** Everything that decides how a connection is treated, whatever is asked over it. */
function mannerOf(rule: Egress): string {
  if (rule.mode !== "verified") return rule.mode;
  return JSON.stringify([rule.mode, rule.websocket, rule.pins.toSorted(), rule.roots?.toSorted() ?? null]);
}

function reportPorts(rules: readonly (Egress | undefined)[], at: Site): void {
  const ports = new Set(rules.flatMap((rule) => rule?.ports ?? []));
  if (ports.size <= MAX_PORTS) return;
  at.problem(`at most ${MAX_PORTS} distinct ports in all`, `${ports.size} ports`, "the box listens on each of them");
}
