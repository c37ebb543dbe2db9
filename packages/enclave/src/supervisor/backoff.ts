/** How long to wait before the application is started again. All times in milliseconds. */

const FIRST = 500;
const LONGEST = 30_000;
/** Who was ready for so long starts with a clean slate. */
const HEALTHY = 60_000;

export interface Backoff {
  /** Called when the application ended; `readyFor` is 0 where it never was ready. Returns the pause. */
  next(readyFor: number): number;
}

/**
 * 0.5 s, doubled each time up to 30 s, of which a random half to whole is waited: boxes that fail together shall not come
 * back together. `random` yields values from 0 up to, not including, 1.
 */
export function createBackoff(random: () => number): Backoff {
  let failures = 0;
  return {
    next: (readyFor) => {
      if (readyFor >= HEALTHY) failures = 0;
      const pause = Math.min(LONGEST, FIRST * 2 ** failures);
      failures += 1;
      return pause * (0.5 + random() / 2);
    },
  };
}
