/** Like decisions, counted together until they are written. */
import type { LedgerEntry, LedgerRecord } from "@blindbox/attestation";

/** Kinds of decisions that are told apart, all together. */
export interface PoolLimits {
  /** Beyond this many, what differs in the peer's certificate alone counts as alike. */
  readonly withPeer: number;
  /** Beyond this many, only the verdict is told apart. */
  readonly withRule: number;
}

/** What is not written yet of decisions that are alike. */
export interface Pool {
  /** Was nothing of its kind written yet? */
  isFirst(): boolean;
  /** Does it stand for as many as all records of its kind before? */
  isDouble(): boolean;
  /** What to write; nothing is left then. */
  take(): LedgerEntry & Pick<LedgerRecord, "count">;
}

export interface Pools {
  add(entry: LedgerEntry): Pool;
  /** Those that hold what was not written. */
  pending(): readonly Pool[];
}

export function createPools(limits: PoolLimits): Pools {
  const pools = new Map<string, Sum>();
  const fits = (kind: LedgerEntry, limit: number): boolean => pools.size < limit || pools.has(keyOf(kind));
  const kindOf = (entry: LedgerEntry): LedgerEntry => {
    if (fits(entry, limits.withPeer)) return entry;
    const { verdict } = entry;
    const withRule = { ...entry, peer: null };
    return fits(withRule, limits.withRule) ? withRule : { ...noFacts, verdict };
  };
  return {
    add(entry) {
      const kind = kindOf(entry);
      const key = keyOf(kind);
      const sum = pools.get(key) ?? new Sum(kind);
      pools.set(key, sum);
      sum.add(entry);
      return sum;
    },
    pending: () => [...pools.values()].filter((sum) => sum.holds()),
  };
}

function keyOf({ verdict, rule, host, port, mode, peer }: LedgerEntry): string {
  return JSON.stringify([verdict, rule, host, port, mode, peer]);
}

const noFacts = { rule: null, host: null, port: null, mode: null, sent: 0, received: 0, peer: null };

class Sum implements Pool {
  readonly #kind: LedgerEntry;
  #count = 0;
  #sent = 0;
  #received = 0;
  #written = 0;

  constructor(kind: LedgerEntry) {
    this.#kind = kind;
  }

  add({ sent, received }: LedgerEntry): void {
    this.#count += 1;
    this.#sent = plus(this.#sent, sent);
    this.#received = plus(this.#received, received);
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

  take(): LedgerEntry & Pick<LedgerRecord, "count"> {
    const { verdict, rule, host, port, mode, peer } = this.#kind;
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
