import type { HeaderTerm, AccessRule } from "./rule.ts";
import { BELOW } from "./paths.ts";

/** What of a request decides which rule is for it, beside who asks. */
export interface AskedOfRules {
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  readonly upgrade: string | null;
  readonly headers: (name: string) => readonly string[];
}

/** Finds the first rule that names one of some callers and matches a request, however many rules there are. */
export interface RuleIndex {
  /** Position of the rule; -1: none. */
  first(callers: readonly string[], asked: AskedOfRules): number;
}

/** A tree over the segments of paths; at each folder, what is meant for it and what for everything below. */
interface Folder {
  readonly folders: Map<string, Folder>;
  readonly itself: RulesByCaller;
  readonly below: RulesByCaller;
}

/** Positions of rules, ascending, by the id that they name. */
type RulesByCaller = Map<string, number[]>;

/** Indexes rules by path and by caller. */
export function indexRules(rules: readonly AccessRule[]): RuleIndex {
  const root = emptyFolder();
  rules.forEach((rule, position) => insert(root, rule, position));
  const conditions = rules.map(conditionsOf);
  return {
    first(callers, asked) {
      let best = -1;
      for (const found of matchingLists(root, asked.path, callers)) {
        const position = found.find((each) => (best !== -1 && each >= best) || conditions[each]?.(asked) === true);
        if (position !== undefined && (best === -1 || position < best)) best = position;
      }
      return best;
    },
  };
}

function emptyFolder(): Folder {
  return { folders: new Map(), itself: new Map(), below: new Map() };
}

function insert(root: Folder, { path, allow }: AccessRule, position: number): void {
  const isBelow = path.endsWith(BELOW);
  let folder = root;
  for (const segment of segmentsOf(isBelow ? path.slice(0, -BELOW.length) : path)) {
    const next = folder.folders.get(segment) ?? emptyFolder();
    folder.folders.set(segment, next);
    folder = next;
  }
  const byCaller = isBelow ? folder.below : folder.itself;
  for (const id of allow) {
    const positions = byCaller.get(id);
    if (positions === undefined) byCaller.set(id, [position]);
    else positions.push(position);
  }
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").slice(1);
}

/** The rules whose path matches, list by list: each list is of one folder and one caller. */
function* matchingLists(root: Folder, path: string, callers: readonly string[]): Generator<readonly number[]> {
  let folder = root;
  for (const segment of segmentsOf(path)) {
    yield* listsOf(folder.below, callers);
    const next = folder.folders.get(segment);
    if (next === undefined) return;
    folder = next;
  }
  yield* listsOf(folder.itself, callers);
}

function* listsOf(byCaller: RulesByCaller, callers: readonly string[]): Generator<readonly number[]> {
  for (const id of callers) {
    const positions = byCaller.get(id);
    if (positions !== undefined) yield positions;
  }
}

/** Everything of a rule but its path and its callers. */
function conditionsOf(rule: AccessRule): (asked: AskedOfRules) => boolean {
  const methods = new Set<string>(rule.methods);
  const headers = Object.entries(rule.headers);
  return ({ method, upgrade, headers: sent }) =>
    methods.has(method) &&
    (upgrade === null || (upgrade === "websocket" && rule.upgrade === "websocket")) &&
    headers.every(([name, term]) => isHeader(sent(name), term));
}

/** A repeated header satisfies no term: which of its lines the application takes is not certain. */
function isHeader(lines: readonly string[], term: HeaderTerm): boolean {
  if ("present" in term) return term.present ? lines.length === 1 : lines.length === 0;
  const [line] = lines;
  return lines.length === 1 && line !== undefined && term.oneOf.includes(line);
}
