/** Like decisions, counted together until they are written. */
import type { LedgerEntry, LedgerRecord } from "@blindbox/attestation";

/** What the ledger itself does not add. */
export type LedgerFacts = LedgerEntry & Pick<LedgerRecord, "count">;

/** Kinds of decisions that are told apart. */
export interface PoolLimits {
  /** Kinds with a peer; beyond this many, what differs in the peer's certificate alone counts as alike. */
  readonly withPeer: number;
  /** Kinds with a rule and without a peer; beyond this many, only the verdict is told apart. */
  readonly withRule: number;
}

/** What is not written yet of decisions that are alike. */
export interface Pool {
  /** Was nothing of its kind written yet? */
  isFirst(): boolean;
  /** Does it stand for as many as all records of its kind before? */
  isDouble(): boolean;
  /** What to write; nothing is left then. */
  take(): LedgerFacts;
}

export interface Pools {
  add(entry: LedgerEntry): Pool;
  /** Those that hold what was not written, whoever has held it longest first. */
  pending(): readonly Pool[];
}

export function createPools(limits: PoolLimits): Pools {
  const kindOf = createKinds(limits);
  const pools = new Map<string, Sum>();
  const holding = new Set<Sum>();
  return {
    add(entry) {
      const kind = kindOf(entry);
      const key = keyOf(kind);
      const sum = pools.get(key) ?? new Sum(kind);
      pools.set(key, sum);
      // Anew at the end, where it was written since.
      if (!sum.holds()) holding.delete(sum);
      holding.add(sum);
      sum.add(entry);
      return sum;
    },
    pending: () => [...holding].filter((sum) => sum.holds()),
  };
}

/** The kind that a decision counts as. Kinds with a peer take nothing from those without. */
function createKinds({ withPeer, withRule }: PoolLimits): (entry: LedgerEntry) => LedgerEntry {
  const peers = createRoster(withPeer);
  const rules = createRoster(withRule);
  return (entry) => {
    if (entry.peer !== null && peers.admits(entry)) return entry;
    const withoutPeer = { ...entry, peer: null };
    return rules.admits(withoutPeer) ? withoutPeer : { ...noFacts, verdict: entry.verdict };
  };
}

interface Roster {
  admits(kind: LedgerEntry): boolean;
}

/** The first `limit` kinds that ask. */
function createRoster(limit: number): Roster {
  const known = new Set<string>();
  return {
    admits(kind) {
      const key = keyOf(kind);
      if (known.size < limit) known.add(key);
      return known.has(key);
    },
  };
}

function keyOf({ verdict, rule, host, port, mode, peer }: LedgerEntry): string {
  return JSON.stringify([verdict, rule, host, port, mode, peer]);
}

const noFacts = { rule: null, host: null, port: null, mode: null, sent: 0, received: 0, peer: null };

class Sum implements Pool {
  readonly #kind: LedgerEntry;
  /** The decision itself as long as it is alone: what is not summed up loses no facts. */
  #only: LedgerEntry | null = null;
  #count = 0;
  #sent = 0;
  #received = 0;
  #written = 0;

  constructor(kind: LedgerEntry) {
    this.#kind = kind;
  }

  add(entry: LedgerEntry): void {
    this.#only = this.#count === 0 ? entry : null;
    this.#count += 1;
    this.#sent = plus(this.#sent, entry.sent);
    this.#received = plus(this.#received, entry.received);
  }

  holds(): boolean {
    return this.#count > 0;
  }

  isFirst(): boolean {
    return this.#written === 0;
  }

  isDouble(): boolean {
    return this.#count >= this.#written;
  }

  take(): LedgerFacts {
    const { verdict, rule, host, port, mode, peer } = this.#only ?? this.#kind;
    const taken = { verdict, rule, host, port, mode, peer, count: this.#count };
    const sums = { sent: this.#sent, received: this.#received };
    this.#written += this.#count;
    this.#count = 0;
    this.#sent = 0;
    this.#received = 0;
    return { ...taken, ...sums };
  }
}

/** 8 PiB are as good as more, and canonical JSON has no greater integer. */
function plus(sum: number, more: number): number {
  return Math.min(sum + more, Number.MAX_SAFE_INTEGER);
}
