/** The ledger as a chain of records. */
import { digest } from "@blindbox/encoding";
import { linkBytes, originBytes } from "../record-chain.ts";
import type { LedgerRecord } from "./types.ts";

/** Type of the document; its UTF-8 hashed by SHA-256 is the head of a ledger with no record. */
export const LEDGER_TYPE = "blindbox-ledger/1";

/** What SHA-256 is taken of for the head before any record. */
export function ledgerOriginBytes(): Uint8Array {
  return originBytes(LEDGER_TYPE);
}

/** What SHA-256 is taken of for the head after `record`: the head before it, then the record's canonical JSON in UTF-8. */
export function ledgerLinkBytes(head: Uint8Array, record: LedgerRecord): Uint8Array {
  return linkBytes(head, record);
}

/** Head of a ledger with no record: 32 bytes. */
export function ledgerOrigin(): Promise<Uint8Array> {
  return digest("SHA-256", ledgerOriginBytes());
}

/** Head after `record`, where `head` (32 bytes) is the one before it. */
export function ledgerHeadAfter(head: Uint8Array, record: LedgerRecord): Promise<Uint8Array> {
  return digest("SHA-256", ledgerLinkBytes(head, record));
}
