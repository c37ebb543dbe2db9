/** Why a box does not start. Public, and the same in every version. */
export type RefusalCode =
  | "arguments-invalid"
  | "environment-unsafe"
  | "init-missing"
  | "no-tee-device"
  | "files-unreadable"
  | "manifest-invalid"
  | "runtime-invalid"
  | "egress-failed"
  | "sandbox-failed"
  | "self-test-failed"
  | "evidence-failed"
  | "listen-failed"
  | "app-not-started";

/** The box refuses to start. Message and hint are written before the application runs, so they hold nothing of it. */
export class RefusalError extends Error {
  readonly code: RefusalCode;
  /** The next step for whoever starts the box. */
  readonly hint: string;

  constructor(code: RefusalCode, reason: string, hint: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "RefusalError";
    this.code = code;
    this.hint = hint;
  }
}

/**
 * Runs one step of the start; what it throws becomes the refusal of that step, unless it is a refusal already. A part that
 * knows the next step better says so in a `hint` of its error.
 */
export async function orRefuse<T>(code: RefusalCode, hint: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof RefusalError) throw error;
    throw new RefusalError(code, reasonOf(error), hintOf(error) ?? hint, { cause: error });
  }
}

function hintOf(error: unknown): string | null {
  return error instanceof Error && "hint" in error && typeof error.hint === "string" ? error.hint : null;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "an unknown error";
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${cause}`;
}
