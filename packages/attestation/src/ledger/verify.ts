/** Is a ledger's document one unbroken chain, and the one that the box's Statement speaks of? */
import { compareChain } from "../record-chain.ts";
import { LEDGER_TYPE } from "./chain.ts";
import type { LedgerDocument } from "./types.ts";

/** What can be wrong with a ledger that reads well. */
export type LedgerDifferenceCode =
  /** Nothing was given up, and yet the chain does not begin where every chain begins. */
  | "ledger-origin"
  /** A record is missing, doubled, or out of order. */
  | "ledger-sequence"
  /** The records do not lead to the head that the document names: one was altered. */
  | "ledger-head"
  /** The Statement's head is none of this chain's: another ledger, an altered one, or one whose records were given up. */
  | "ledger-statement"
  /** The Statement names no ledger, so that no hardware stands behind this one. */
  | "ledger-unattested";

/** One difference. Its words are ours, numbers and digests: safe to show. */
export interface LedgerDifference {
  readonly code: LedgerDifferenceCode;
  readonly expected: string;
  readonly actual: string;
}

/**
 * Compares a document with itself and with the head that an *affirmed* Statement of the same box names (`statement.ledger`;
 * null where that is null, which is a difference). Empty: as the Statement was made the chain had got to one of these
 * records, and up to there each is as the box wrote it; later ones rest on the attested session over which they came. Not checked: what was given up before `first`, whether later records
 * were held back, and the time in the records.
 *
 * @example
 * const differences = await verifyLedger(parseLedger(text), statement.ledger);
 */
export async function verifyLedger(
  document: LedgerDocument,
  statementHead: string | null,
): Promise<readonly LedgerDifference[]> {
  const differences = await compareChain(LEDGER_TYPE, document, statementHead);
  return differences.map(({ fault, expected, actual }) => ({ code: `ledger-${fault}`, expected, actual }));
}
