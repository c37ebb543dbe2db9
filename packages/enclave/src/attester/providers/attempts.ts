/** Asking a busy device again: a bounded number of times, with growing waits. */
import type { Sleep } from "./device.ts";
import { DeviceFault } from "./device-fault.ts";

/** Together 1.5 s: a device answers within some milliseconds, and whoever asked for Evidence waits meanwhile. */
const waits: readonly number[] = [20, 40, 80, 160, 400, 800];

/** Thrown by an attempt that another one may mend. The message says what was in the way. */
export class Disturbed extends Error {
  override readonly name = "Disturbed";
}

/**
 * What `attempt` comes to, which is made anew each time that it is {@link Disturbed}.
 *
 * @throws DeviceFault `busy` with the last disturbance, after the last attempt.
 */
export async function withAttempts<T>(sleep: Sleep, attempt: () => Promise<T>): Promise<T> {
  for (let made = 0; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Disturbed)) throw error;
      const wait = waits[made];
      if (wait === undefined) throw new DeviceFault("busy", `${error.message}, ${made + 1} times`, { cause: error });
      await sleep(wait);
    }
  }
}
