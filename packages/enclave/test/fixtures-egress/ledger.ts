import type { LedgerEntry } from "@blindbox/attestation";
import type { Ledger } from "../../src/egress/contract.ts";

/** A ledger that remembers what it was told. */
export function recordingLedger(): Ledger & { readonly entries: LedgerEntry[]; verdicts(): readonly string[] } {
  const entries: LedgerEntry[] = [];
  return {
    entries,
    record: (entry) => void entries.push(entry),
    head: () => "",
    document: () => "",
    verdicts: () => entries.map(({ verdict }) => verdict),
  };
}
