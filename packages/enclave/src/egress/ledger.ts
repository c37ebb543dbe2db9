/**
 * Writes down what was decided: a chain of hashes over all records of this boot, of which the newest are kept.
 *
 * How it stays bounded, and what of that shows: the first decision of each kind is written at once, and as many one by one
 * as a budget allows. Beyond that, like decisions are summed up in one record (`count`, `sent`, `received`), which is
 * written when it stands for as many as all of its kind before it, when the budget allows again, or when the document is
 * read. So nothing goes uncounted, and what fills the memory is time, not the application: {@link ledgerLimits} keeps at
 * least the last hour, whatever it does. When the memory is full, the oldest record is given up: `first` says how many were, `start` is the head they led to.
 */
import { hash } from "node:crypto";
import {
  formatLedger,
  type LedgerEntry,
  ledgerLinkBytes,
  ledgerOriginBytes,
  type LedgerRecord,
  type LedgerVerdict,
  MAX_LEDGER_RECORDS,
} from "@blindbox/attestation";
import { type Budget, createBudget, type BudgetLimits } from "./budget.ts";
import type { Ledger } from "./contract.ts";
import { createPools, type Pool, type PoolLimits } from "./ledger-pools.ts";

/** What is bounded for itself, so that much of the one never costs anything of the others. */
type Bounded = "connections" | "requests" | "refusals" | "summaries";

export interface LedgerLimits {
  /** Records that are kept. */
  readonly records: number;
  /** Records that are written one by one; `summaries` are those that stand for several. */
  readonly budgets: Readonly<Record<Bounded, BudgetLimits>>;
  readonly pools: PoolLimits;
}

// All at once: 4352 of the budgets and 1100 first ones of their kind, then 35 a minute, which leaves 78 minutes.
export const ledgerLimits: LedgerLimits = Object.freeze({
  records: MAX_LEDGER_RECORDS,
  budgets: {
    connections: { burst: 2048, perMinute: 20 },
    requests: { burst: 768, perMinute: 5 },
    refusals: { burst: 768, perMinute: 5 },
    summaries: { burst: 768, perMinute: 5 },
  },
  // Rules, ports and verdicts of a usual Manifest make some hundred kinds; a certificate makes one more.
  pools: { withPeer: 512, withRule: 1024 },
});

export interface LedgerOptions {
  /** Milliseconds since 1970: the host's clock, which records show and nothing rests on. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back and that nobody sets, for the budgets. */
  readonly monotonic: () => number;
  /** Left out: {@link ledgerLimits}. */
  readonly limits?: LedgerLimits;
}

/** An empty ledger. */
export function createLedger({ now, monotonic, limits = ledgerLimits }: LedgerOptions): Ledger {
  const chain = createChain(limits.records);
  const pools = createPools(limits.pools);
  const budgets = createBudgets(limits, monotonic);
  const write = (pool: Pool): void => chain.append({ time: toSeconds(now()), ...pool.take() });
  return {
    record(entry) {
      const pool = pools.add(entry);
      const isDue = pool.isFirst() || budgets[kindOf(entry.verdict)].take();
      if (isDue || (pool.isDouble() && budgets.summaries.take())) write(pool);
    },
    head: () => chain.head(),
    document() {
      for (const pool of pools.pending()) write(pool);
      return chain.document();
    },
  };
}

function createBudgets({ budgets }: LedgerLimits, now: () => number): Record<Bounded, Budget> {
  return {
    connections: createBudget(budgets.connections, now),
    requests: createBudget(budgets.requests, now),
    refusals: createBudget(budgets.refusals, now),
    summaries: createBudget(budgets.summaries, now),
  };
}

function kindOf(verdict: LedgerVerdict): Bounded {
  if (verdict === "connected" || verdict === "closed") return "connections";
  return verdict.startsWith("refused-") ? "refusals" : "requests";
}

/** A clock before 1970 is a host's mischief, and no reason to fail. */
function toSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

interface Chain {
  append(record: LedgerEntry & Pick<LedgerRecord, "time" | "count">): void;
  head(): string;
  document(): string;
}

function createChain(maxRecords: number): Chain {
  const records: LedgerRecord[] = [];
  let head = sha256(ledgerOriginBytes());
  let start = head;
  let next = 0;
  return {
    append(facts) {
      const record: LedgerRecord = { seq: next, ...facts };
      head = sha256(ledgerLinkBytes(head, record));
      next += 1;
      records.push(record);
      const oldest = records.length > maxRecords ? records.shift() : undefined;
      if (oldest !== undefined) start = sha256(ledgerLinkBytes(start, oldest));
    },
    head: () => format(head),
    document: () => formatLedger({ start: format(start), first: next - records.length, records, head: format(head) }),
  };
}

// Not WebCrypto: a record must be in the chain before whatever it tells of goes on.
function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

function format(head: Uint8Array): string {
  return `sha256:${Buffer.from(head).toString("hex")}`;
}
