/** What the exit code of the command says (DESIGN section 5). The page of all codes repeats these comments. */
export const exitCodes = {
  /** affirming, or a warning that was accepted explicitly, or a command that did what it was asked */
  success: 0,
  /** contraindicated: the box was refused */
  contraindicated: 1,
  /** wrong usage, an input file that is refused, or a machine that lacks what the command needs */
  usage: 2,
  /** a warning that was not accepted */
  warning: 3,
  /** not reachable */
  unreachable: 4,
  /** a fault of BlindBox */
  fault: 5,
  /** `request --fail`: the box was accepted, and the answer has a status of 400 or more */
  failedStatus: 6,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
