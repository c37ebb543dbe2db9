import { exitCodes, type ExitCode } from "./exit-codes.ts";

/** What a failed command says: one line of fact and one of advice. */
export interface FailureFacts {
  /** What is wrong: a file, an option, a machine. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  /** The next step. */
  readonly hint: string;
  /** Left out: `usage`. */
  readonly exitCode?: ExitCode;
}

/** One of several things that are wrong with one document. */
export interface DocumentProblem {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
  readonly hint?: string;
}

/** A failure that the person at the keyboard can put right; shown without a stack. */
export class CliError extends Error {
  readonly hint: string;
  readonly exitCode: ExitCode;

  constructor(facts: FailureFacts) {
    super(`${facts.what}: expected ${facts.expected}, got ${facts.actual}`);
    this.name = "CliError";
    this.hint = facts.hint;
    this.exitCode = facts.exitCode ?? exitCodes.usage;
  }
}

/** A document with every problem that was found in it; shown one by one, without a stack. */
export class DocumentError extends Error {
  readonly problems: readonly DocumentProblem[];

  constructor(document: string, problems: readonly DocumentProblem[]) {
    super(`${document} has ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}`);
    this.name = "DocumentError";
    this.problems = problems;
  }
}
