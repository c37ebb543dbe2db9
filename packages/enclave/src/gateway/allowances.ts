/** How much of a rule's limits its callers have used: for each principal under each rule, and for the rule as a whole. */
import type { Limits } from "@blindbox/manifest";
import { createMinuteCount, type MinuteCount, withinShare } from "./fair-share.ts";

/** The limits that are counted here. */
export type CountedLimits = Pick<Limits, "requestsPerMinute" | "totalPerMinute" | "concurrent">;

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
  /** @param shared whether other principals may ask by that rule: one that has a rule for itself has all of it. */
  claim(rule: number, principal: string, limits: CountedLimits, shared: boolean): Claim | Refusal;
}

interface Usage {
  concurrent: number;
  readonly started: MinuteCount;
}

interface RuleUsage {
  readonly started: MinuteCount;
  readonly byPrincipal: Map<string, Usage>;
  /** The second in which principals without a request in the last minute were last forgotten. */
  swept: number;
  /** Principals with a request in the last minute. */
  active: number;
  /** Principals that asked since then, refused ones too. */
  readonly asking: Set<string>;
}

/**
 * @param now milliseconds of a clock that never goes back. Any 60 whole seconds in a row hold at most
 * `requestsPerMinute` requests of one principal under a rule, and `totalPerMinute` of all; of these the last quarter is kept for
 * principals that have used less than an equal share.
 */
export function createAllowances(now: () => number): Allowances {
  const rules = new Map<number, RuleUsage>();
  return {
    claim(rule, principal, limits, shared) {
      const second = Math.floor(now() / 1000);
      const whole = ruleUsage(rules, rule, second);
      const own = usageOf(whole, principal);
      if (own.concurrent >= limits.concurrent) return { granted: false, retryAfter: 1 };
      const mine = own.started.total(second);
      if (mine >= limits.requestsPerMinute) return { granted: false, retryAfter: own.started.untilRoom(second) };
      whole.asking.add(principal);
      const all = whole.started.total(second);
      const isWithin = shared
        ? withinShare(mine, all, limits.totalPerMinute, Math.max(whole.active, whole.asking.size))
        : all < limits.totalPerMinute;
      if (!isWithin) {
        return { granted: false, retryAfter: whole.started.untilRoom(second) };
      }
      return grant(whole, own, second);
    },
  };
}

function ruleUsage(rules: Map<number, RuleUsage>, rule: number, second: number): RuleUsage {
  const usage = rules.get(rule) ?? {
    started: createMinuteCount(),
    byPrincipal: new Map(),
    swept: second,
    active: 0,
    asking: new Set<string>(),
  };
  rules.set(rule, usage);
  if (usage.swept !== second) sweep(usage, second);
  return usage;
}

// Once a second at most, whatever number of requests: what it costs is bounded by who asked within the last minute.
function sweep(usage: RuleUsage, second: number): void {
  usage.swept = second;
  usage.active = 0;
  usage.asking.clear();
  for (const [principal, { concurrent, started }] of usage.byPrincipal) {
    const recent = started.total(second) > 0;
    if (recent) usage.active += 1;
    else if (concurrent === 0) usage.byPrincipal.delete(principal);
  }
}

function usageOf({ byPrincipal }: RuleUsage, principal: string): Usage {
  const usage = byPrincipal.get(principal) ?? { concurrent: 0, started: createMinuteCount() };
  byPrincipal.set(principal, usage);
  return usage;
}

function grant(whole: RuleUsage, own: Usage, second: number): Claim {
  if (own.started.total(second) === 0) whole.active += 1;
  own.started.add(second);
  whole.started.add(second);
  own.concurrent += 1;
  let open = true;
  return {
    granted: true,
    release() {
      if (open) own.concurrent -= 1;
      open = false;
    },
  };
}
