/**
 * Writes down what was decided: a chain of hashes over all records of this boot, of which the newest are kept.
 *
 * How it stays bounded, and what of that shows: the first decision of each kind is written at once, and as many one by one,
 * as budgets allow. Beyond that, like decisions are summed up in one record (`count`, `sent`, `received`), which is
 * written when it stands for as many as all of its kind before it, when the budget allows again, or when the document is
 * read. Every record takes a grant of one budget or another, so what fills the memory is time, neither the application
 * nor whoever reads: {@link ledgerLimits} keeps at least the last hour, whatever they do. Nothing goes uncounted: what
 * has no grant waits in its sum. Permissions and refusals share neither sums nor budgets, so that no number of refusals
 * costs a permission its place, its rule, its host or its port. When the memory is full, the oldest record is given up:
 * `first` says how many were, `start` is the head they led to.
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
import { type BudgetLimits, createBudget } from "./budget.ts";
import type { Ledger } from "./contract.ts";
import { createPools, type LedgerFacts, type PoolLimits } from "./ledger-pools.ts";

/** What is bounded for itself, so that much of the one never costs anything of the others. */
export type LedgerShare = "connections" | "requests" | "refusals";

export interface LedgerShareLimits {
  readonly pools: PoolLimits;
  /** What a record is written for: being the first of its kind, one decision, a sum that has doubled, a reader. */
  readonly budgets: Readonly<Record<"firsts" | "singles" | "doubles" | "reads", BudgetLimits>>;
}

export interface LedgerLimits {
  /** Records that are kept. */
  readonly records: number;
  readonly shares: Readonly<Record<LedgerShare, LedgerShareLimits>>;
}

// The Manifest bounds the kinds of permissions: rules, times ports, times five verdicts. Some hundred are usual.
const ofPermissions: PoolLimits = { withPeer: 256, withRule: Number.POSITIVE_INFINITY };

// All bursts are 5632 records, all rates 39 a minute: 8192 are full after 65 minutes at the earliest.
export const ledgerLimits: LedgerLimits = Object.freeze({
  records: MAX_LEDGER_RECORDS,
  shares: {
    connections: {
      pools: ofPermissions,
      budgets: {
        firsts: { burst: 512, perMinute: 0 },
        singles: { burst: 1280, perMinute: 14 },
        doubles: { burst: 384, perMinute: 3 },
        reads: { burst: 512, perMinute: 6 },
      },
    },
    requests: {
      pools: ofPermissions,
      budgets: {
        firsts: { burst: 256, perMinute: 0 },
        singles: { burst: 640, perMinute: 5 },
        doubles: { burst: 128, perMinute: 1 },
        reads: { burst: 256, perMinute: 2 },
      },
    },
    refusals: {
      // Each of 30 verdicts for some hundred rules and ports.
      pools: { withPeer: 256, withRule: 4096 },
      budgets: {
        firsts: { burst: 640, perMinute: 0 },
        singles: { burst: 512, perMinute: 4 },
        doubles: { burst: 256, perMinute: 2 },
        reads: { burst: 256, perMinute: 2 },
      },
    },
  },
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
  const write: Write = (facts) => chain.append({ time: toSeconds(now()), ...facts });
  const shareOf = (name: LedgerShare): Share => createShare(limits.shares[name], monotonic, write);
  const shares = {
    connections: shareOf("connections"),
    requests: shareOf("requests"),
    refusals: shareOf("refusals"),
  };
  return {
    record: (entry) => shares[shareNameOf(entry.verdict)].record(entry),
    head: () => chain.head(),
    document() {
      for (const share of Object.values(shares)) share.flush();
      return chain.document();
    },
  };
}

type Write = (facts: LedgerFacts) => void;

interface Share {
  record(entry: LedgerEntry): void;
  /** Writes what waits, the oldest first, as far as there are grants for readers. */
  flush(): void;
}

function createShare({ pools: poolLimits, budgets }: LedgerShareLimits, now: () => number, write: Write): Share {
  const pools = createPools(poolLimits);
  const firsts = createBudget(budgets.firsts, now);
  const singles = createBudget(budgets.singles, now);
  const doubles = createBudget(budgets.doubles, now);
  const reads = createBudget(budgets.reads, now);
  return {
    record(entry) {
      const pool = pools.add(entry);
      const isGranted = (pool.isFirst() && firsts.take()) || singles.take() || (pool.isDouble() && doubles.take());
      if (isGranted) write(pool.take());
    },
    flush() {
      for (const pool of pools.pending()) {
        if (!reads.take()) return;
        write(pool.take());
      }
    },
  };
}

function shareNameOf(verdict: LedgerVerdict): LedgerShare {
  if (verdict === "connected" || verdict === "closed") return "connections";
  return verdict.startsWith("refused-") ? "refusals" : "requests";
}

/** A clock before 1970 is a host's mischief, and no reason to fail. */
function toSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

interface Chain {
  append(facts: LedgerFacts & Pick<LedgerRecord, "time">): void;
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
