import type { Access, AccessRule } from "../access/rule.ts";
import { indexRules, type RuleIndex } from "../access/rule-tree.ts";
import type { KeysOf } from "../access/token-keys.ts";
import { type CallerBook, callerBook, type Roles } from "./callers.ts";
import type { Probe } from "./probes.ts";

/** One document's rules, ready to be asked. */
export interface Side {
  readonly access: Access;
  readonly index: RuleIndex;
  readonly book: CallerBook;
  readonly rulesOf: ReadonlyMap<string, readonly number[]>;
}

/** The two documents that are compared. */
export interface Sides {
  readonly before: Side;
  readonly after: Side;
}

/** As whom somebody comes to the box of either document. */
export interface Caller {
  /** What it is called in words. */
  readonly name: string;
  readonly before: Roles;
  readonly after: Roles;
}

/** Which rule decides, for whom. */
export interface Deciding {
  readonly rule: AccessRule;
  readonly at: number;
  /** Every principal that the caller is then. */
  readonly ids: readonly string[];
  /** Whether the caller presents all that it has. */
  readonly isWhole: boolean;
}

export function sideOf(access: Access, keysOf: KeysOf): Side {
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

/** Positions of the rules that name one of these, ascending. */
export function positionsOf({ rulesOf }: Side, ids: readonly string[]): readonly number[] {
  return [...new Set(ids.flatMap((id) => rulesOf.get(id) ?? []))].toSorted((a, b) => a - b);
}

/** The rules that can decide for a caller, of both documents: a class of requests may be told by a rule of either. */
export function rulesNaming(caller: Caller, { before, after }: Sides): readonly AccessRule[] {
  const named = (side: Side, roles: Roles): readonly AccessRule[] =>
    positionsOf(side, roles.flat()).flatMap((at) => side.access.rules[at] ?? []);
  return [...named(after, caller.after), ...named(before, caller.before)];
}

/** The rule that decides for a caller in these roles; null: none, and it is refused. */
export function ruleFor(side: Side, roles: Roles, { asked }: Probe): Deciding | null {
  for (const [step, ids] of roles.entries()) {
    const at = side.index.first(ids, asked);
    const rule = side.access.rules[at];
    if (rule !== undefined) return { rule, at, ids, isWhole: step === 0 };
  }
  return null;
}
