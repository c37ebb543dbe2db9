/** What the exit code of the command says (DESIGN section 5). */
export const exitCodes = {
  /** Affirming, or a warning that was explicitly accepted, or a command that did what it was asked. */
  success: 0,
  contraindicated: 1,
  /** Wrong usage, a bad input file, or a machine that lacks what the command needs. */
  usage: 2,
  /** A warning that nobody accepted. */
  warning: 3,
  unreachable: 4,
  /** A fault of BlindBox itself. */
  fault: 5,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
