/** Is an access log one unbroken chain, and the one that the box's Statement speaks of? */
import { compareChain } from "../record-chain.ts";
import { ACCESS_LOG_TYPE } from "./parse.ts";
import type { AccessLogDocument } from "./types.ts";

/** What can be wrong with an access log that reads well. */
export type AccessLogDifferenceCode =
  /** Nothing was given up, and yet the chain does not begin where every chain begins. */
  | "access-log-origin"
  /** A record is missing, doubled, or out of order. */
  | "access-log-sequence"
  /** The records do not lead to the head that the document names: one was altered. */
  | "access-log-head"
  /** The Statement's head is none of this chain's: another log, an altered one, or one whose records were given up. */
  | "access-log-statement"
  /** The Statement names no access log, so that no hardware stands behind this one. */
  | "access-log-unattested";

/** One difference. Its words are ours, numbers and digests: safe to show. */
export interface AccessLogDifference {
  readonly code: AccessLogDifferenceCode;
  readonly expected: string;
  readonly actual: string;
}

/**
 * Compares an access log with itself and with the head that an *affirmed* Statement of the same box names
 * (`statement.audit`). Empty: up to that head every record is as the box wrote it; later ones rest on the attested session over
 * which the log came, so a log from elsewhere proves nothing behind it. Not checked: what was given up before `first`, whether
 * later records were held back, and the time in the records.
 */
export async function verifyAccessLog(
  document: AccessLogDocument,
  statementHead: string | null,
): Promise<readonly AccessLogDifference[]> {
  const differences = await compareChain(ACCESS_LOG_TYPE, document, statementHead);
  return differences.map(({ fault, expected, actual }) => ({ code: `access-log-${fault}`, expected, actual }));
}
