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
import { nearOf, type Pair, peopleOf, type Person } from "./people.ts";
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
 * Pairs that can meet, and whose rules do not stand as before or tell the application another name: one of each two kinds of
 * callers and sequence of names, since the same is decided for all of them. Null: too many to tell.
 */
function pairsOf(sides: Sides, keysOf: KeysOf): readonly Caller[] | null {
  const isUnchanged = unchangedIn(sides);
  const namesOf = namesIn(sides);
  const settled = new Set<string>();
  const unchanged = new Map<string, boolean>();
  const pairs: Caller[] = [];
  let seen = 0;
  for (const near of nearOf(peopleOf(sides))) {
    seen += 1;
    if (seen > MAX_PAIRS) return null;
    const { whole, part } = inOneOrder(near);
    const kinds = `${whole.kind},${part.kind}`;
    const isKept = unchanged.get(kinds) ?? isUnchanged(together(whole, part));
    unchanged.set(kinds, isKept);
    const names = namesOf(whole, part);
    if (isKept && names.before === names.after) continue;
    const meaning = [kinds, names.before, names.after].join(";");
    if (settled.has(meaning) || !canMeet(whole.principal, part.principal, keysOf)) continue;
    pairs.push(together(whole, part));
    settled.add(meaning);
  }
  return pairs;
}

/** Of two that present the same, either may come first: the kinds say which does, so that equal pairs look equal. */
function inOneOrder({ whole, part }: Pair): Pair {
  return whole.presents === part.presents && whole.kind > part.kind ? { whole: part, part: whole } : { whole, part };
}

function together(whole: Person, part: Person): Caller {
  const isSame = whole.presents === part.presents;
  const name = `whoever is both ${[whole.principal.id, part.principal.id].toSorted().join(" and ")}`;
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

/** What the application is told under each rule, as numbers: equal ones are equal names, of both documents. */
interface Names {
  readonly before: string;
  readonly after: string;
}

const UNTOLD: Names = { before: "", after: "" };

function namesIn({ before, after }: Sides): (whole: Person, part: Person) => Names {
  const [old, now] = [ranksIn(before), ranksIn(after)];
  return (whole, part) => {
    if (whole.presents !== part.presents) return UNTOLD;
    const numbers = new Map<string, number>();
    const numbered = (ids: readonly string[]): string =>
      ids.map((id) => numbers.get(id) ?? numbers.set(id, numbers.size).get(id)).join();
    return {
      before: numbered(firstNamed(before, old, [...(whole.before[0] ?? []), ...(part.before[0] ?? [])])),
      after: numbered(firstNamed(after, now, [...(whole.after[0] ?? []), ...(part.after[0] ?? [])])),
    };
  };
}

type Ranks = readonly ReadonlyMap<string, number>[];

function ranksIn({ access }: Side): Ranks {
  return access.rules.map(({ allow }) => new Map(allow.map((id, rank) => [id, rank])));
}

/** Of each rule that names one of them: whom it names first. */
function firstNamed(side: Side, ranks: Ranks, ids: readonly string[]): readonly string[] {
  return positionsOf(side, ids).map((at) => {
    const rankOf = (id: string): number => ranks[at]?.get(id) ?? Infinity;
    return ids.reduce((first, id) => (rankOf(id) < rankOf(first) ? id : first));
  });
}

function withoutCallers({ methods, path, headers, upgrade, audit, limits }: AccessRule): unknown {
  return [methods, path, headers, upgrade, audit, limits];
}

function undecided(): PolicyChange {
  const words = "too many callers can be several principals at once to compare which of their rules comes first";
  return { direction: "wider", part: "limits", path: "access.rules", document: "after", words };
}
