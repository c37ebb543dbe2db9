/**
 * One request can make several principals known, and then the first rule that names any of them decides. What each of them
 * may ask alone says what they may ask together; under which limits, and whether it is recorded, only a pair says. Pairs are
 * enough: however many there are, one of them is named by the rule that decides before, and one by that which decides after.
 */
import { canMeet } from "../access/meeting.ts";
import { ANONYMOUS } from "../access/principal.ts";
import type { AccessRule } from "../access/rule.ts";
import type { KeysOf } from "../access/token-keys.ts";
import type { PolicyChange } from "./change.ts";
import { addRenamed, compareDeciding, Findings, isNamedAlike } from "./findings.ts";
import { type Person, nearOf, peopleOf } from "./people.ts";
import { countProbes, probesOf } from "./probes.ts";
import { type Caller, positionsOf, ruleFor, rulesNaming, type Side, type Sides } from "./side.ts";

/** Pairs of principals that are looked at. Each takes less than a microsecond. */
const MAX_PAIRS = 2_000_000;

/** What changes for whoever is two principals at once, beside what was found of each alone. */
export function comparePairs(
  sides: Sides,
  keysOf: KeysOf,
  known: Findings,
  maxProbes: number,
): readonly PolicyChange[] {
  const found = new Findings(known);
  const pairs = pairsOf(sides, keysOf);
  const probes = pairs === null ? null : pairs.reduce((sum, pair) => sum + countProbes(rulesNaming(pair, sides)), 0);
  if (pairs === null || probes === null || probes > maxProbes) return [undecided()];
  for (const pair of pairs) comparePair(pair, sides, found);
  return found.changes();
}

function comparePair(pair: Caller, sides: Sides, found: Findings): void {
  for (const probe of probesOf(rulesNaming(pair, sides))) {
    const [before, after] = [ruleFor(sides.before, pair.before, probe), ruleFor(sides.after, pair.after, probe)];
    if (before === null || after === null) continue;
    const seen = { callers: [pair.name], probe };
    compareDeciding(before, after, found, seen);
    if (before.isWhole && after.isWhole && !isNamedAlike(before, after)) addRenamed(after, found, seen);
  }
}

/**
 * Pairs that can meet, and whose rules do not stand as before or name the two in another order: of the former, one of each
 * two kinds of callers. Null: too many to tell.
 */
function pairsOf(sides: Sides, keysOf: KeysOf): readonly Caller[] | null {
  const people = peopleOf(sides);
  const isUnchanged = unchangedIn(sides);
  const isInOrder = orderIn(sides);
  const settled = new Set<string>();
  const unchanged = new Map<string, boolean>();
  const pairs: Caller[] = [];
  let seen = 0;
  for (const { whole, part } of nearOf(people)) {
    seen += 1;
    if (seen > MAX_PAIRS) return null;
    const kinds = kindsOfPair(whole, part);
    if (settled.has(kinds)) continue;
    const isKept = unchanged.get(kinds) ?? (whole.kind === part.kind || isUnchanged(together(whole, part)));
    unchanged.set(kinds, isKept);
    if ((isKept && isInOrder(whole, part)) || !canMeet(whole.principal, part.principal, keysOf)) continue;
    pairs.push(together(whole, part));
    if (!isKept) settled.add(kinds);
  }
  return pairs;
}

function kindsOfPair(whole: Person, part: Person): string {
  const kinds = [whole.kind, part.kind];
  return (whole.presents === part.presents ? kinds.toSorted((a, b) => a - b) : kinds).join();
}

function together(whole: Person, part: Person): Caller {
  const isSame = whole.presents === part.presents;
  const name = `whoever is both ${whole.principal.id} and ${part.principal.id}`;
  const [before, partBefore] = [whole.before[0] ?? [], whole.before[1] ?? []];
  const [other, otherPart] = [part.before[0] ?? [], part.before[1] ?? []];
  const after = [...(whole.after[0] ?? []), ...(isSame ? (part.after[0] ?? []) : [])];
  return {
    name,
    before: [
      [...new Set([...before, ...(isSame ? other : [])])],
      [...new Set([...partBefore, ...(isSame ? [] : other), ...otherPart])],
      [ANONYMOUS],
    ],
    after: [[...new Set(after)]],
  };
}

// The same terms and grants in the same order decide the same, wherever they stand.
function unchangedIn({ before, after }: Sides): (pair: Caller) => boolean {
  const numbers = new Map<string, number>();
  const numbersOf = ({ access }: Side): readonly number[] =>
    access.rules.map((rule) => {
      const text = JSON.stringify(withoutCallers(rule));
      const number = numbers.get(text) ?? numbers.size;
      numbers.set(text, number);
      return number;
    });
  const [old, now] = [numbersOf(before), numbersOf(after)];
  return (pair) => {
    const one = positionsOf(before, pair.before[0] ?? []).map((at) => old[at]);
    const other = positionsOf(after, pair.after[0] ?? []).map((at) => now[at]);
    return one.length === other.length && one.every((number, at) => number === other[at]);
  };
}

/** Where the same rules decide: do they name these two in the same order, so that a request counts for the same one? */
function orderIn({ before, after }: Sides): (whole: Person, part: Person) => boolean {
  const [old, now] = [ranksIn(before), ranksIn(after)];
  return (whole, part) => {
    if (whole.presents !== part.presents) return true;
    const one = leadsOf(before, old, whole.before[0] ?? [], part.before[0] ?? []);
    const other = leadsOf(after, now, whole.after[0] ?? [], part.after[0] ?? []);
    return one.every((lead, at) => lead === other[at]);
  };
}

type Ranks = readonly ReadonlyMap<string, number>[];

function ranksIn({ access }: Side): Ranks {
  return access.rules.map(({ allow }) => new Map(allow.map((id, rank) => [id, rank])));
}

/** Of each rule that names them: whom it names first. */
function leadsOf(side: Side, ranks: Ranks, one: readonly string[], other: readonly string[]): readonly number[] {
  return positionsOf(side, [...one, ...other]).map((at) => {
    const [first, second] = [one, other].map((ids) => Math.min(...ids.map((id) => ranks[at]?.get(id) ?? Infinity)));
    return first === second ? 0 : (first ?? 0) < (second ?? 0) ? -1 : 1;
  });
}

function withoutCallers({ methods, path, headers, upgrade, audit, limits }: AccessRule): unknown {
  return [methods, path, headers, upgrade, audit, limits];
}

function undecided(): PolicyChange {
  const words = "too many callers can be several principals at once to compare which of their rules comes first";
  return { direction: "wider", part: "limits", path: "access.rules", document: "after", words };
}
