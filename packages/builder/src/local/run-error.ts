/**
 * Why a box does not run on this machine: one of its two processes refused (it says why) or ended, the device measured
 * another image than the one that was unpacked, the state directory is open to other users or cannot be used, its path is
 * too long for the device's socket, or the sandbox that was asked for needs root.
 */
export type RunErrorCode =
  | "device-refused"
  | "device-failed"
  | "box-refused"
  | "box-failed"
  | "measurement-differs"
  | "state-unusable"
  | "path-too-long"
  | "driver-unavailable";

/** The facts of one failure. */
export interface RunProblem {
  readonly reason: string;
  readonly hint: string;
  /** The code that the process gave; null where it gave none. */
  readonly refusal?: string;
  /** The last that the process wrote to standard error. */
  readonly detail?: string;
}

/** A box that did not start. Nothing of it is left running, nor on disk. */
export class RunError extends Error {
  readonly code: RunErrorCode;
  readonly refusal: string | null;
  readonly hint: string;
  /** What the process wrote last to standard error; may be empty. For whoever runs the box, not for a client. */
  readonly detail: string;

  constructor(code: RunErrorCode, problem: RunProblem) {
    super(problem.reason);
    this.name = "RunError";
    this.code = code;
    this.refusal = problem.refusal ?? null;
    this.hint = problem.hint;
    this.detail = problem.detail ?? "";
  }
}
