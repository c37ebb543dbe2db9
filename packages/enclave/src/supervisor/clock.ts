import { setTimeout as delay } from "node:timers/promises";

/** Time as the supervisor sees it; a parameter, so that a test can turn it. */
export interface Clock {
  /** Milliseconds that never go back. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};
