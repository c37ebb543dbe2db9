import { BELOW, isPathWithin } from "../access/paths.ts";
import type { AccessRule, HeaderTerm } from "../access/rule.ts";
import type { AskedOfRules } from "../access/rule-tree.ts";

/** One request that stands for all on which the same rules match. */
export interface Probe {
  readonly asked: AskedOfRules;
  /** In words: the path that a rule names, and what is special. */
  readonly words: string;
}

/** Header lines that no rule names. */
const OTHER = "~";

/**
 * Requests of which each stands for a class: two requests of one class match the same rules, and every class that any rule
 * matches has one. Paths of rules either lie within each other or apart, so the class of a path is told by the deepest of
 * them; a header's class by which of the listed values it has, if it comes once.
 */
export function* probesOf(rules: readonly AccessRule[]): Generator<Probe> {
  for (const { pattern, path, method, upgrades, matching } of placesOf(rules)) {
    for (const upgrade of upgrades) {
      for (const { headers, words } of headerProbes(matching)) {
        const special = [...(upgrade === null ? [] : ["as a WebSocket"]), ...words];
        yield {
          asked: { method, path, upgrade, headers: (name) => headers.get(name) ?? [] },
          words: [`${method} of ${pattern}`, ...special].join(", "),
        };
      }
    }
  }
}

/** How many probes there are. */
export function countProbes(rules: readonly AccessRule[]): number {
  let count = 0;
  for (const { upgrades, matching } of placesOf(rules)) {
    count += [...valuesByName(matching).values()].reduce((product, { length }) => product * length, upgrades.length);
  }
  return count;
}

/** A class of paths, asked with one method. */
interface Place {
  /** The deepest path of a rule that holds it. */
  readonly pattern: string;
  readonly path: string;
  readonly method: string;
  readonly upgrades: readonly (string | null)[];
  /** The rules that could match there, whatever their other conditions are. */
  readonly matching: readonly AccessRule[];
}

function* placesOf(rules: readonly AccessRule[]): Generator<Place> {
  const unused = unusedSegment(rules);
  for (const pattern of new Set(rules.map(({ path }) => path))) {
    const path = pattern.endsWith(BELOW) ? `${pattern.slice(0, -2)}${unused}` : pattern;
    const holding = rules.filter((rule) => isPathWithin(path, rule.path));
    for (const method of new Set(holding.flatMap(({ methods }) => methods))) {
      const matching = holding.filter(({ methods }) => methods.includes(method));
      const upgrades = matching.some(({ upgrade }) => upgrade === "websocket") ? [null, "websocket"] : [null];
      yield { pattern, path, method, upgrades, matching };
    }
  }
}

function unusedSegment(rules: readonly AccessRule[]): string {
  const used = new Set(rules.flatMap(({ path }) => path.split("/")));
  let segment = "~";
  while (used.has(segment)) segment += "~";
  return segment;
}

interface HeaderProbe {
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

function headerProbes(rules: readonly AccessRule[]): readonly HeaderProbe[] {
  let probes: readonly HeaderProbe[] = [{ headers: new Map(), words: [] }];
  for (const [name, values] of valuesByName(rules)) {
    probes = probes.flatMap(({ headers, words }) =>
      values.map((lines) => ({
        headers: new Map([...headers, [name, lines]]),
        words: [...words, wordsOf(name, lines)],
      })),
    );
  }
  return probes;
}

/** For each name that a rule conditions: not sent, sent twice, with a value that no rule lists, with each that one does. */
function valuesByName(rules: readonly AccessRule[]): ReadonlyMap<string, readonly (readonly string[])[]> {
  const listed = new Map<string, Set<string>>();
  for (const [name, term] of rules.flatMap(({ headers }) => Object.entries(headers))) {
    listed.set(name, new Set([...(listed.get(name) ?? []), ...valuesOf(term)]));
  }
  return new Map(Array.from(listed, ([name, values]) => [name, linesFor(values)]));
}

function linesFor(values: ReadonlySet<string>): readonly (readonly string[])[] {
  let other = OTHER;
  while (values.has(other)) other += OTHER;
  return [[], [other, other], [other], ...Array.from(values, (value) => [value])];
}

function valuesOf(term: HeaderTerm): readonly string[] {
  return "oneOf" in term ? term.oneOf : [];
}

function wordsOf(name: string, lines: readonly string[]): string {
  const [line = ""] = lines;
  if (lines.length === 0) return `without ${name}`;
  if (lines.length > 1) return `with ${name} twice`;
  return line.startsWith(OTHER) ? `with another ${name}` : `with ${name}: ${line}`;
}
