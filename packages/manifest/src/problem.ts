/** One thing that is wrong with a document, in words that name no secret: kinds and lengths, never values of free text. */
export interface Problem {
  /** Where: `access.rules[0].methods[1]`, `line 3, column 5`, or `document` for the whole of it. */
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
  /** What to do next. */
  readonly hint?: string;
}

/** A Manifest that cannot be accepted, with every problem found in it. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  readonly code = "manifest-invalid";
  /** At least one. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`the manifest has ${countOf(problems)}: ${problems.map(formatProblem).join("; ")}`);
    this.problems = problems;
  }
}

/** One line for one problem: `path: expected …, found … (hint)`. */
export function formatProblem(problem: Problem): string {
  const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
  return `${problem.path}: expected ${problem.expected}, found ${problem.actual}${hint}`;
}

function countOf(problems: readonly Problem[]): string {
  return problems.length === 1 ? "1 problem" : `${problems.length} problems`;
}
