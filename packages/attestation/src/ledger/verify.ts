/** Is a ledger's document one unbroken chain, and the one that the box's Statement speaks of? */
import { formatSha256, parseSha256 } from "@blindbox/encoding";
import { ledgerHeadAfter, ledgerOrigin } from "./chain.ts";
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
 * null where that is null, which is a difference). Empty: every record is as the box wrote it, and as the Statement was
 * made the chain had got to one of these records. Not checked: what was given up before `first`, whether later records
 * were held back, and the time in the records.
 *
 * @example
 * const differences = await verifyLedger(parseLedger(text), statement.ledger);
 */
export async function verifyLedger(
  document: LedgerDocument,
  statementHead: string | null,
): Promise<readonly LedgerDifference[]> {
  const heads = await headsOf(document);
  return [
    ...(await originDifference(document)),
    ...sequenceDifference(document),
    ...headDifference(document, heads),
    ...statementDifference(heads, statementHead),
  ];
}

/** The head before the first record, and after each. */
async function headsOf({ start, records }: LedgerDocument): Promise<readonly string[]> {
  let head = parseSha256(start, "ledger.start");
  const heads = [start];
  for (const record of records) {
    head = await ledgerHeadAfter(head, record);
    heads.push(formatSha256(head));
  }
  return heads;
}

async function originDifference({ start, first }: LedgerDocument): Promise<readonly LedgerDifference[]> {
  if (first !== 0) return [];
  const expected = formatSha256(await ledgerOrigin());
  return start === expected ? [] : [{ code: "ledger-origin", expected, actual: start }];
}

function sequenceDifference({ first, records }: LedgerDocument): readonly LedgerDifference[] {
  const index = records.findIndex(({ seq }, at) => seq !== first + at);
  const wrong = records[index];
  if (wrong === undefined) return [];
  return [{ code: "ledger-sequence", expected: `record ${first + index}`, actual: `record ${wrong.seq}` }];
}

function headDifference({ head }: LedgerDocument, heads: readonly string[]): readonly LedgerDifference[] {
  const expected = heads.at(-1) ?? "";
  return head === expected ? [] : [{ code: "ledger-head", expected, actual: head }];
}

function statementDifference(heads: readonly string[], statementHead: string | null): readonly LedgerDifference[] {
  const expected = "a head of this ledger";
  if (statementHead === null) return [{ code: "ledger-unattested", expected, actual: "none in the Statement" }];
  return heads.includes(statementHead) ? [] : [{ code: "ledger-statement", expected, actual: statementHead }];
}
