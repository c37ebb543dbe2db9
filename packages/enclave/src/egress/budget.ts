/** Grants that come back with time: so many at once, so many a minute on average. */
export interface BudgetLimits {
  /** Grants of a budget that was never used, and the most that it ever holds. */
  readonly burst: number;
  readonly perMinute: number;
}

export interface Budget {
  /** Takes one grant; false where there is none. */
  take(): boolean;
}

const minute = 60_000;

/** @param now milliseconds; a clock that goes back brings nothing, and costs nothing. */
export function createBudget({ burst, perMinute }: BudgetLimits, now: () => number): Budget {
  let grants = burst;
  let last = now();
  return {
    take() {
      const time = now();
      grants = Math.min(burst, grants + (Math.max(0, time - last) * perMinute) / minute);
      last = time;
      if (grants < 1) return false;
      grants -= 1;
      return true;
    },
  };
}
