/**
 * What can be wrong with an image, with a box, or with the place where one is written.
 *
 * - `image-not-found`, `registry-not-supported`, `not-an-image`, `compressed-archive`: the path names no image that is read
 * - `already-a-box`: the image is that of a box, not of an application
 * - `image-unreadable`, `output-unusable`: the file system refuses to read the image, or to write the output
 * - `ambiguous-image`, `unsupported-platform`: none, or more than one, image for linux/amd64 in it
 * - `malformed-image`, `malformed-layer`, `blob-missing`, `size-mismatch`, `digest-mismatch`: its bytes are not what they should be
 * - `limit-exceeded`: larger than what is read at all
 * - `path-traversal`, `bad-name`, `bad-parent`, `bad-link`, `unsupported-entry`, `owner-out-of-range`: an entry of its file system is refused
 * - `unknown-user`: its user is not in its own account files
 * - `bad-runtime`, `not-supported-yet`, `output-exists`, `not-a-box`: the other inputs of a build or a run
 * - `driver-unsuitable`: the Manifest asks for what the sandbox driver that was named cannot do
 * - `documents-differ`: Manifest or release beside the image of a box are damaged, or belong to another image
 */
export type BuildErrorCode =
  | "image-not-found"
  | "registry-not-supported"
  | "not-an-image"
  | "compressed-archive"
  | "already-a-box"
  | "image-unreadable"
  | "output-unusable"
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
  | "not-a-box"
  | "driver-unsuitable"
  | "documents-differ";

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
  return JSON.stringify(cut).replace(/\p{C}/gu, escaped);
}

/** A path that the caller gave, for an error message: as it is where it is plain, else quoted. Never cut. */
export function shownPath(path: string): string {
  return path !== "" && /^[^\p{C}\p{Z}"\\]+$/u.test(path) ? path : JSON.stringify(path).replace(/\p{C}/gu, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Fields that mean the image as a whole: the path says which one it is. */
const wholeImage: readonly string[] = ["image", "archive", "box"];

/**
 * Runs `work` on the image or box at `path`, and puts that path in front of the field of a BuildError about it. Errors
 * about the output keep theirs.
 */
export async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BuildError) || error.code === "output-unusable") throw error;
    const { code, field, expected, actual, hint } = error;
    const named = wholeImage.includes(field) ? shownPath(path) : `${shownPath(path)}: ${field}`;
    throw new BuildError(code, { field: named, expected, actual, ...(hint === undefined ? {} : { hint }) });
  }
}
