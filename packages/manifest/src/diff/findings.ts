import { passedOverrides, principalUnder } from "../access/admitting.ts";
import type { AccessRule, Limits } from "../access/rule.ts";
import { type PolicyChange, some } from "./change.ts";
import type { Probe } from "./probes.ts";
import type { Deciding } from "./side.ts";

interface Found {
  readonly change: Omit<PolicyChange, "words">;
  readonly what: string;
  readonly callers: Set<string>;
  readonly asked: Set<string>;
}

/** Gathers what was found request by request into one change a rule and a meaning. */
export class Findings {
  readonly #found = new Map<string, Found>();
  readonly #known: Findings | null;

  /** What `known` has is not gathered again, for whomever it is; null: all is. */
  constructor(known: Findings | null) {
    this.#known = known;
  }

  add(change: Omit<PolicyChange, "words">, what: string, callers: readonly string[], { words }: Probe): void {
    const key = JSON.stringify([change, what]);
    if (this.#known?.has(key) === true) return;
    const found = this.#found.get(key) ?? { change, what, callers: new Set<string>(), asked: new Set<string>() };
    for (const caller of callers) found.callers.add(caller);
    found.asked.add(words);
    this.#found.set(key, found);
  }

  has(key: string): boolean {
    return this.#found.has(key);
  }

  changes(): readonly PolicyChange[] {
    return Array.from(this.#found.values(), ({ change, what, callers, asked }) => ({
      ...change,
      words: `${some([...callers])}: ${what} (${some([...asked])})`,
    }));
  }
}

/** Adds in what the rule that decides now differs from the one that decided before, for these callers and this request. */
export function compareDeciding(
  before: Deciding,
  after: Deciding,
  found: Findings,
  { callers, probe }: { readonly callers: readonly string[]; readonly probe: Probe },
): void {
  const path = `access.rules[${after.at}]`;
  compareRules(before.rule, after.rule, (change, words) => {
    found.add({ ...change, path: `${path}${change.path}`, document: "after" }, words, callers, probe);
  });
}

/** Adds that the application is told another name for these callers. */
export function addRenamed(
  after: Deciding,
  found: Findings,
  { callers, probe }: { readonly callers: readonly string[]; readonly probe: Probe },
): void {
  const path = `access.rules[${after.at}]`;
  found.add({ direction: "changed", part: "access", path, document: "after" }, RENAMED, callers, probe);
}

const RENAMED = "the application is told another name for this caller";

/** Is the application told the same name, of whoever is these principals before and after? */
export function isNamedAlike(before: Pick<Deciding, "rule" | "ids">, after: Pick<Deciding, "rule" | "ids">): boolean {
  return principalUnder(before.rule, before.ids) === principalUnder(after.rule, after.ids);
}

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
  const [passed, passes] = [passedOverrides(before), passedOverrides(after)];
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
