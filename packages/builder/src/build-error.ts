/**
 * What can be wrong with an image, with a box, or with the place where one is written.
 *
 * - `image-not-found`, `registry-not-supported`, `not-an-image`, `compressed-archive`: the path names no image that is read
 * - `ambiguous-image`, `unsupported-platform`: none, or more than one, image for linux/amd64 in it
 * - `malformed-image`, `malformed-layer`, `blob-missing`, `size-mismatch`, `digest-mismatch`: its bytes are not what they should be
 * - `limit-exceeded`: larger than what is read at all
 * - `path-traversal`, `bad-name`, `bad-parent`, `bad-link`, `unsupported-entry`, `owner-out-of-range`: an entry of its file system is refused
 * - `unknown-user`: its user is not in its own account files
 * - `bad-runtime`, `not-supported-yet`, `output-exists`, `not-a-box`: the other inputs of a build or a run
 */
export type BuildErrorCode =
  | "image-not-found"
  | "registry-not-supported"
  | "not-an-image"
  | "compressed-archive"
  | "ambiguous-image"
  | "unsupported-platform"
  | "malformed-image"
  | "malformed-layer"
  | "blob-missing"
  | "size-mismatch"
  | "digest-mismatch"
  | "limit-exceeded"
  | "path-traversal"
  | "bad-name"
  | "bad-parent"
  | "bad-link"
  | "unsupported-entry"
  | "owner-out-of-range"
  | "unknown-user"
  | "bad-runtime"
  | "not-supported-yet"
  | "output-exists"
  | "not-a-box";

/** The facts of one refusal. `hint` names the next step where there is one. */
export interface BuildProblem {
  /** Where: a file of the image, a member of a document, or an entry of a layer. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly hint?: string;
}

/** A source image, or a box, that is refused. Nothing was written when it is thrown. */
export class BuildError extends Error {
  readonly code: BuildErrorCode;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly hint: string | undefined;

  constructor(code: BuildErrorCode, problem: BuildProblem) {
    const hint = problem.hint === undefined ? "" : `; ${problem.hint}`;
    super(`${problem.field}: expected ${problem.expected}, found ${problem.actual}${hint}`);
    this.name = "BuildError";
    this.code = code;
    this.field = problem.field;
    this.expected = problem.expected;
    this.actual = problem.actual;
    this.hint = problem.hint;
  }
}

const maxQuoted = 160;

/** A name from the vendor's own image for an error message: on one line, of bounded length, nothing that steers a terminal. */
export function quoted(name: string): string {
  const cut = name.length > maxQuoted ? `${name.slice(0, maxQuoted)}…` : name;
  return JSON.stringify(cut).replace(/\p{C}/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}
