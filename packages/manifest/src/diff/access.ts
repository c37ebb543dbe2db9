import type { Principal } from "../access/principal.ts";
import type { Access } from "../access/rule.ts";
import { signingKeys, tokenTermsOf } from "../access/token-keys.ts";
import type { PolicyChange } from "./change.ts";
import { addRenamed, compareDeciding, Findings, isNamedAlike } from "./findings.ts";
import { type Group, groupsOf } from "./groups.ts";
import { comparePairs } from "./pairs.ts";
import { countProbes, type Probe, probesOf } from "./probes.ts";
import { type Deciding, ruleFor, rulesNaming, type Side, sideOf, type Sides } from "./side.ts";
import { diffKeyUrls } from "./token-urls.ts";

/** Requests that are tried for all callers together. Each takes about a microsecond. */
const MAX_PROBES = 1_000_000;

/**
 * What the access rules of two Manifests let in differently. It asks the very index that decides requests, caller by caller,
 * with one request for each class of requests: so where it finds nothing wider, whatever `after` lets in, `before` lets in
 * for the same caller, presenting the same or less, with limits that are as large and no record that `after` does not write.
 */
export async function diffAccess(before: Access, after: Access): Promise<readonly PolicyChange[]> {
  if (isSame(before, after)) return [];
  const keysOf = await signingKeys([...tokenTermsOf(before.principals), ...tokenTermsOf(after.principals)]);
  const sides: Sides = { before: sideOf(before, keysOf), after: sideOf(after, keysOf) };
  const [forward, backward] = [groupsOf(sides, "after"), groupsOf(sides, "before")];
  const probes = [...forward, ...backward].reduce((sum, { callers }) => sum + countOf(callers[0], sides), 0);
  if (probes > MAX_PROBES) return [undecided(probes)];
  const found = new Findings(null);
  for (const group of forward) findNew(group, sides, found);
  for (const group of backward) findLost(group, sides, found);
  const pairs = comparePairs(sides, keysOf, found, MAX_PROBES - probes);
  return [...found.changes(), ...pairs, ...diffKeyUrls(before, after), ...auditorChanges(sides)];
}

// However many classes of requests there are, one document lets in what it lets in.
function isSame(before: Access, after: Access): boolean {
  const [one, other] = [before, after].map(({ principals, rules }) => JSON.stringify([principals, rules]));
  return one === other;
}

function countOf(caller: Group["callers"][0], sides: Sides): number {
  return countProbes(rulesNaming(caller, sides));
}

function findNew(group: Group, sides: Sides, found: Findings): void {
  const compare = comparer(group, found);
  const [first] = group.callers;
  for (const probe of probesOf(rulesNaming(first, sides))) {
    const after = ruleFor(sides.after, first.after, probe);
    if (after === null) continue;
    const before = ruleFor(sides.before, first.before, probe);
    const path = `access.rules[${after.at}]`;
    if (before !== null) compare(before, after, probe);
    else found.add({ direction: "wider", part: "access", path, document: "after" }, NEW, namesOf(group), probe);
  }
}

// Whoever is no principal any more may be another one: what the rules grant it is compared too.
function findLost(group: Group, sides: Sides, found: Findings): void {
  const compare = comparer(group, found);
  const [first] = group.callers;
  for (const probe of probesOf(rulesNaming(first, sides))) {
    const before = ruleFor(sides.before, first.before, probe);
    if (before === null) continue;
    const after = ruleFor(sides.after, first.after, probe);
    const path = `access.rules[${before.at}]`;
    if (after === null)
      found.add({ direction: "narrower", part: "access", path, document: "before" }, LOST, namesOf(group), probe);
    else if (group.isGone) compare(before, after, probe);
  }
}

const NEW = "may ask what was refused before";
const LOST = "may no longer ask";

function namesOf({ callers }: Group): readonly string[] {
  return callers.map(({ name }) => name);
}

/** Compares what two rules grant a group. Names are looked at once for each two rules, since a group may be large. */
function comparer(group: Group, found: Findings): (before: Deciding, after: Deciding, probe: Probe) => void {
  const names = namesOf(group);
  const named = new Set<string>();
  return (before, after, probe) => {
    compareDeciding(before, after, found, { callers: names, probe });
    const both = `${before.at} ${after.at}`;
    if (!before.isWhole || !after.isWhole || named.has(both)) return;
    named.add(both);
    const callers = group.callers
      .filter(
        (each) =>
          !isNamedAlike(
            { rule: before.rule, ids: each.before[0] ?? [] },
            { rule: after.rule, ids: each.after[0] ?? [] },
          ),
      )
      .map(({ name }) => name);
    if (callers.length > 0) addRenamed(after, found, { callers, probe });
  };
}

/** Who may read the access log and the egress ledger. */
function auditorChanges({ before, after }: Sides): readonly PolicyChange[] {
  const added = auditorsBeyond(after, before, "after");
  const lost = auditorsBeyond(before, after, "before");
  return [
    ...added.map(
      (change): PolicyChange => ({ ...change, direction: "wider", words: `${change.words} may now read it` }),
    ),
    ...lost.map(
      (change): PolicyChange => ({ ...change, direction: "narrower", words: `${change.words} may no longer read it` }),
    ),
  ];
}

function auditorsBeyond(
  own: Side,
  other: Side,
  document: PolicyChange["document"],
): readonly Omit<PolicyChange, "direction">[] {
  return own.access.principals.flatMap((principal: Principal, index) => {
    if (!principal.audit || other.book.principalsOf(principal).some(({ audit }) => audit)) return [];
    const words = `access log and egress ledger: ${principal.id}`;
    return [{ part: "audit", path: `access.principals[${index}].audit`, document, words }];
  });
}

function undecided(probes: number): PolicyChange {
  const words = `the rules divide requests into more than ${MAX_PROBES} classes (${probes}), which is too many to compare`;
  return { direction: "wider", part: "access", path: "access.rules", document: "after", words };
}
