/** What goes wrong while Endorsements are fetched: a closed list of codes, the facts, and the next step. */

/** Why a part of the Endorsements did not come. The list is closed, and a code never changes its meaning. */
export const ENDORSER_ERROR_CODES = [
  /** No connection, or a connection that ended before the whole answer was there. */
  "unreachable",
  /** No whole answer within the time that one attempt, or all of them, may take. */
  "timeout",
  /** The vendor says that it was asked too often (429), and went on saying so, or names a wait that is too long. */
  "throttled",
  /** The vendor answers with a fault of its own (5xx), and went on doing so. */
  "unavailable",
  /** The vendor knows nothing of that chip, TCB or platform (404, 410). */
  "not-found",
  /** Another status than the ones above. */
  "refused",
  /** An answer that leads elsewhere: it is never followed. */
  "redirected",
  /** An answer over its limit of bytes. */
  "too-large",
  /** An answer that is not what was asked for: a sign-in page of the network, for instance. */
  "malformed",
  /** A well-formed answer about another chip, TCB or platform. */
  "mismatch",
  /** No vendor has it: it has to be given. */
  "missing",
  /** The caller gave up. */
  "aborted",
] as const;

/** One of {@link ENDORSER_ERROR_CODES}. */
export type EndorserErrorCode = (typeof ENDORSER_ERROR_CODES)[number];

const hints: Readonly<Record<EndorserErrorCode, string>> = {
  unreachable:
    "check that this machine reaches the vendor by https; where it must not, import a document made elsewhere",
  timeout: "try again; where the network is slow or closed, import a document that was made elsewhere",
  throttled: "wait some minutes; keep the cache, so that the vendor is asked once and not for each start",
  unavailable: "the vendor has a fault: try again later",
  "not-found":
    "the firmware's TCB may be newer than the vendor's list, or the Evidence of another product: compare both",
  refused: "the vendor does not take the request: look for a newer BlindBox",
  redirected: "something on the way answers in the vendor's place: use a network without a sign-in page or proxy",
  "too-large": "something on the way answers in the vendor's place: use a network without a sign-in page or proxy",
  malformed: "something on the way may answer in the vendor's place: use a network without a sign-in page or proxy",
  mismatch: "the Evidence and what was given or answered are of different machines or firmware: fetch both anew",
  missing: "give it: the host hands it to the guest beside the Evidence",
  aborted: "ask again",
};

/** The facts of a failure, none of them text that a peer chose. */
export interface EndorserFailure {
  readonly code: EndorserErrorCode;
  /** Which member of the Endorsements, or what of it. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** Left out: the code's usual next step. */
  readonly hint?: string;
}

/**
 * A part of the Endorsements did not come. There are no Endorsements then, not even of the other parts; `missing` names
 * every member that did not come, and the other fields tell of the first of them.
 */
export class EndorserError extends Error {
  override readonly name = "EndorserError";
  readonly code: EndorserErrorCode;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly hint: string;
  readonly missing: readonly string[];

  constructor(failure: EndorserFailure, missing: readonly string[] = [failure.field]) {
    const { code, field, expected, actual, hint = hints[code] } = failure;
    const others = missing.length > 1 ? `; missing: ${missing.join(", ")}` : "";
    super(`${field}: expected ${expected}, got ${actual} (${code})${others}`);
    this.code = code;
    this.field = field;
    this.expected = expected;
    this.actual = actual;
    this.hint = hint;
    this.missing = Object.freeze([...missing]);
  }
}

/** The failure that something well-formed is another machine's. */
export function mismatch(field: string, expected: string, actual: string): EndorserError {
  return new EndorserError({ code: "mismatch", field, expected, actual });
}
