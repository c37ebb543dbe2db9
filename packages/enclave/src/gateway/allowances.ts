/** How much of a rule's limits its callers have used: counted for each principal under each rule, never across them. */
import type { Limits } from "@blindbox/manifest";

/** A request that may go on. `release` must be called once, when its answer is over. */
export interface Claim {
  readonly granted: true;
  release(): void;
}

export interface Refusal {
  readonly granted: false;
  /** Whole seconds until a request may be granted. */
  readonly retryAfter: number;
}

export interface Allowances {
  claim(rule: number, principal: string, limits: Limits): Claim | Refusal;
}

interface Usage {
  concurrent: number;
  /** Requests started in each of the last 60 seconds; the slot of second s is s modulo 60. */
  readonly started: Uint32Array;
  /** The second up to which `started` is true. */
  second: number;
}

/**
 * @param now milliseconds of a clock that never goes back. Any 60 whole seconds in a row hold at most
 * `requestsPerMinute` requests.
 */
export function createAllowances(now: () => number): Allowances {
  const usages = new Map<string, Usage>();
  return {
    claim(rule, principal, limits) {
      const second = Math.floor(now() / 1000);
      const usage = usageOf(usages, `${rule} ${principal}`, second);
      forgetBefore(usage, second);
      if (usage.concurrent >= limits.concurrent) return { granted: false, retryAfter: 1 };
      if (total(usage.started) >= limits.requestsPerMinute) return { granted: false, retryAfter: untilRoom(usage) };
      return grant(usage);
    },
  };
}

function usageOf(usages: Map<string, Usage>, key: string, second: number): Usage {
  const known = usages.get(key);
  if (known !== undefined) return known;
  const fresh: Usage = { concurrent: 0, started: new Uint32Array(60), second };
  usages.set(key, fresh);
  return fresh;
}

function forgetBefore(usage: Usage, second: number): void {
  const passed = Math.min(60, second - usage.second);
  for (let age = 0; age < passed; age += 1) usage.started[(second - age) % 60] = 0;
  usage.second = second;
}

function total(started: Uint32Array): number {
  let sum = 0;
  for (const count of started) sum += count;
  return sum;
}

function untilRoom(usage: Usage): number {
  for (let wait = 1; wait < 60; wait += 1) {
    if ((usage.started[(usage.second + wait) % 60] ?? 0) > 0) return wait;
  }
  return 60;
}

function grant(usage: Usage): Claim {
  const slot = usage.second % 60;
  usage.started[slot] = (usage.started[slot] ?? 0) + 1;
  usage.concurrent += 1;
  let open = true;
  return {
    granted: true,
    release() {
      if (open) usage.concurrent -= 1;
      open = false;
    },
  };
}
