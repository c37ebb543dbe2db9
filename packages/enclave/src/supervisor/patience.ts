/** When to say that the application is not ready. All times in milliseconds. */

/** Most applications are up in a second; whoever waits longer for the first time wants to know why. */
const PATIENCE = 5_000;

export interface Patience {
  /** The application answered: the next wait begins when `waiting` is called again. */
  ready(): void;
  /** Begins a wait unless one goes on. */
  waiting(now: number): void;
  /** Whole seconds of the wait, once it is long, and only once in each wait; else `null`. */
  lost(now: number): number | null;
}

/** One wait spans restarts: an application that ends at once, again and again, is not ready either. */
export function createPatience(): Patience {
  let since: number | null = null;
  let told = false;
  return {
    ready: () => {
      since = null;
      told = false;
    },
    waiting: (now) => {
      since ??= now;
    },
    lost: (now) => {
      if (told || since === null || now - since < PATIENCE) return null;
      told = true;
      return Math.floor((now - since) / 1000);
    },
  };
}
