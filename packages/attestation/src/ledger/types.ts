/** The words of the egress ledger: what a box writes down of every decision on its application's ways out. Types only. */
import type { RecordChain } from "../record-chain.ts";
import type { LedgerVerdict } from "./verdicts.ts";

/** The mode of the rule that was applied. */
export type LedgerMode = "verified" | "passthrough" | "http" | "tcp";

/** What one decision has to say. It names rules, never a word that the application chose. */
export interface LedgerEntry {
  readonly verdict: LedgerVerdict;
  /** Index in the Manifest's `egress`; null where no rule was applied. */
  readonly rule: number | null;
  /** The rule's own `host`, so `*.example.com` and never the name below it; null where no rule was applied. */
  readonly host: string | null;
  readonly port: number | null;
  readonly mode: LedgerMode | null;
  /** Bytes from the application. */
  readonly sent: number;
  /** Bytes to the application. */
  readonly received: number;
  /** `sha256:<hex>` of the host's leaf certificate (DER); null where the box saw none. */
  readonly peer: string | null;
}

/** One link of the chain. It may stand for several like decisions, whose bytes it sums up. */
export interface LedgerRecord extends LedgerEntry {
  /** From 0, without gaps, in the order in which records were written in this boot. */
  readonly seq: number;
  /** The box's clock in whole seconds since 1970-01-01T00:00:00Z, which is the host's to set. */
  readonly time: number;
  /** Like decisions that this record stands for, at least 1. */
  readonly count: number;
}

/** What a box answers at `LEDGER_PATH`: the records that it still has, and the heads around them. */
export type LedgerDocument = RecordChain<LedgerRecord>;
