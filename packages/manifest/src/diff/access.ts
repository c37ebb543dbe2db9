import { METHOD_OVERRIDES } from "../access/method-overrides.ts";
import { ANONYMOUS, type Principal } from "../access/principal.ts";
import type { Access, AccessRule, Limits } from "../access/rule.ts";
import { indexRules, type RuleIndex } from "../access/rule-tree.ts";
import { type KeysOf, signingKeys, tokenTermsOf } from "../access/token-keys.ts";
import { type CallerBook, callerBook, NOBODY, type Roles } from "./callers.ts";
import { type PolicyChange, some } from "./change.ts";
import { countProbes, type Probe, probesOf } from "./probes.ts";

/** Requests that are tried for all callers together. Each takes about a microsecond. */
const MAX_PROBES = 1_000_000;

/** One document's rules, ready to be asked. */
interface Side {
  readonly access: Access;
  readonly index: RuleIndex;
  readonly book: CallerBook;
  readonly rulesOf: ReadonlyMap<string, readonly number[]>;
}

/** Callers whom the same rules name, before and after. */
interface Group {
  readonly ids: string[];
  /** In the document that they are of. */
  readonly own: Roles;
  readonly other: Roles;
}

/**
 * What the access rules of two Manifests let in differently. It asks the very index that decides requests, caller by caller,
 * with one request for each class of requests: so where it finds nothing wider, whatever `after` lets in, `before` lets in
 * for the same caller, presenting the same or less.
 */
export async function diffAccess(before: Access, after: Access): Promise<readonly PolicyChange[]> {
  if (isSame(before, after)) return [];
  const keysOf = await signingKeys([...tokenTermsOf(before.principals), ...tokenTermsOf(after.principals)]);
  const [old, now] = [sideOf(before, keysOf), sideOf(after, keysOf)];
  const forward = groupsOf(now, old);
  const backward = groupsOf(old, now);
  const probes = [...forward, ...backward].reduce((sum, group) => sum + countProbes(rulesNaming(group, now, old)), 0);
  if (probes > MAX_PROBES) return [undecided(probes)];
  const found = new Findings();
  for (const group of forward) compareGroup(group, now, old, found);
  for (const group of backward) findLost(group, old, now, found);
  return [...found.changes(), ...auditorChanges(now, old)];
}

// However many classes of requests there are, one document lets in what it lets in.
function isSame(before: Access, after: Access): boolean {
  const [one, other] = [before, after].map(({ principals, rules }) => JSON.stringify([principals, rules]));
  return one === other;
}

function sideOf(access: Access, keysOf: KeysOf): Side {
  const rulesOf = new Map<string, number[]>();
  access.rules.forEach(({ allow }, position) => {
    for (const id of allow) {
      const positions = rulesOf.get(id);
      if (positions === undefined) rulesOf.set(id, [position]);
      else positions.push(position);
    }
  });
  return { access, index: indexRules(access.rules), book: callerBook(access.principals, keysOf), rulesOf };
}

function groupsOf(own: Side, other: Side): readonly Group[] {
  const groups = new Map<string, Group>();
  const add = (id: string, roles: Roles, elsewhere: Roles): void => {
    const signature = JSON.stringify([rulesIn(own, roles), rulesIn(other, elsewhere)]);
    const group = groups.get(signature);
    if (group === undefined) groups.set(signature, { ids: [id], own: roles, other: elsewhere });
    else group.ids.push(id);
  };
  for (const principal of own.access.principals) {
    const [whole = []] = own.book.rolesOf(principal);
    add(principal.id, [whole], other.book.rolesOf(principal));
  }
  add(ANONYMOUS, NOBODY, NOBODY);
  return [...groups.values()];
}

function rulesIn(side: Side, roles: Roles): readonly (readonly number[])[] {
  return roles.map((ids) => [...new Set(ids.flatMap((id) => side.rulesOf.get(id) ?? []))].toSorted((a, b) => a - b));
}

// Of both sides: a class of requests may be told by a rule of either. Which side is the group's own does not matter here.
function rulesNaming({ own, other }: Group, one: Side, two: Side): readonly AccessRule[] {
  const ids = new Set([...own, ...other].flat());
  return [one, two].flatMap((side) => side.access.rules.filter(({ allow }) => allow.some((id) => ids.has(id))));
}

/** The rule that decides for a caller in these roles; null: none, and it is refused. */
function ruleFor(
  side: Side,
  roles: Roles,
  { asked }: Probe,
): { readonly rule: AccessRule; readonly at: number } | null {
  for (const ids of roles) {
    const at = side.index.first(ids, asked);
    const rule = side.access.rules[at];
    if (rule !== undefined) return { rule, at };
  }
  return null;
}

function compareGroup(group: Group, now: Side, old: Side, found: Findings): void {
  for (const probe of probesOf(rulesNaming(group, now, old))) {
    const after = ruleFor(now, group.own, probe);
    if (after === null) continue;
    const path = `access.rules[${after.at}]`;
    const before = ruleFor(old, group.other, probe);
    if (before === null)
      found.add({ direction: "wider", part: "access", path, document: "after" }, NEW, group.ids, probe);
    else
      compareRules(before.rule, after.rule, (change, words) => {
        found.add({ ...change, path: `${path}${change.path}`, document: "after" }, words, group.ids, probe);
      });
  }
}

function findLost(group: Group, old: Side, now: Side, found: Findings): void {
  for (const probe of probesOf(rulesNaming(group, old, now))) {
    const before = ruleFor(old, group.own, probe);
    if (before === null || ruleFor(now, group.other, probe) !== null) continue;
    const path = `access.rules[${before.at}]`;
    found.add({ direction: "narrower", part: "access", path, document: "before" }, LOST, group.ids, probe);
  }
}

const NEW = "may ask what was refused before";
const LOST = "may no longer ask";

type Report = (change: Pick<PolicyChange, "direction" | "part" | "path">, words: string) => void;

function compareRules(before: AccessRule, after: AccessRule, report: Report): void {
  for (const name of Object.keys(after.limits) as (keyof Limits)[]) {
    const [from, to] = [before.limits[name], after.limits[name]];
    if (from === to) continue;
    const direction = to > from ? "wider" : "narrower";
    report({ direction, part: "limits", path: `.limits.${name}` }, `${name} goes from ${from} to ${to}`);
  }
  if (before.audit !== after.audit) {
    const direction = before.audit ? "wider" : "narrower";
    const words = after.audit ? "are now written to the access log" : "are no longer written to the access log";
    report({ direction, part: "audit", path: ".audit" }, words);
  }
  const [passed, passes] = [overridesOf(before), overridesOf(after)];
  for (const name of passes.filter((each) => !passed.includes(each))) {
    report({ direction: "wider", part: "access", path: `.headers.${name}` }, `may name another method with ${name}`);
  }
  for (const name of passed.filter((each) => !passes.includes(each))) {
    report(
      { direction: "narrower", part: "access", path: ".headers" },
      `may no longer name another method with ${name}`,
    );
  }
}

function overridesOf({ headers }: AccessRule): readonly string[] {
  return Object.entries(headers).flatMap(([name, term]) =>
    "oneOf" in term && METHOD_OVERRIDES.has(name) ? [name] : [],
  );
}

/** Gathers what was found request by request into one change a rule and a meaning. */
class Findings {
  readonly #found = new Map<
    string,
    {
      readonly change: Omit<PolicyChange, "words">;
      readonly what: string;
      readonly callers: Set<string>;
      readonly asked: Set<string>;
    }
  >();

  add(change: Omit<PolicyChange, "words">, what: string, callers: readonly string[], { words }: Probe): void {
    const key = JSON.stringify([change, what]);
    const found = this.#found.get(key) ?? { change, what, callers: new Set<string>(), asked: new Set<string>() };
    for (const caller of callers) found.callers.add(caller);
    found.asked.add(words);
    this.#found.set(key, found);
  }

  changes(): readonly PolicyChange[] {
    return Array.from(this.#found.values(), ({ change, what, callers, asked }) => ({
      ...change,
      words: `${some([...callers])}: ${what} (${some([...asked])})`,
    }));
  }
}

/** Who may read the access log and the egress ledger. */
function auditorChanges(now: Side, old: Side): readonly PolicyChange[] {
  const added = auditorsBeyond(now, old, "after");
  const lost = auditorsBeyond(old, now, "before");
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
