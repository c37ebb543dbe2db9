/** The one definition of what a ledger's head is: a hash over everything that was ever written. */
import { canonicalJson, concatBytes, digest, utf8 } from "@blindbox/encoding";
import type { LedgerRecord } from "./types.ts";

/** Type of the document; its UTF-8 hashed by SHA-256 is the head of a ledger with no record. */
export const LEDGER_TYPE = "blindbox-ledger/1";

/** What SHA-256 is taken of for the head before any record. */
export function ledgerOriginBytes(): Uint8Array {
  return utf8(LEDGER_TYPE);
}

/** What SHA-256 is taken of for the head after `record`: the head before it, then the record's canonical JSON in UTF-8. */
export function ledgerLinkBytes(head: Uint8Array, record: LedgerRecord): Uint8Array {
  if (head.length !== 32) throw new TypeError("head: expected 32 bytes");
  return concatBytes(head, utf8(canonicalJson({ ...record })));
}

/** Head of a ledger with no record: 32 bytes. */
export function ledgerOrigin(): Promise<Uint8Array> {
  return digest("SHA-256", ledgerOriginBytes());
}

/** Head after `record`, where `head` (32 bytes) is the one before it. */
export function ledgerHeadAfter(head: Uint8Array, record: LedgerRecord): Promise<Uint8Array> {
  return digest("SHA-256", ledgerLinkBytes(head, record));
}
