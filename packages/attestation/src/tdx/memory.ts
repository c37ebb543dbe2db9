/** How much of what Intel and its platforms sent is remembered. */
import { remembered, type ReadingLimits } from "../remembered.ts";

/** A Verifier meets some platforms and the few current texts of Intel: sixteen of 64 Ki characters take at most 2 MiB. */
const limits: ReadingLimits = { maxTexts: 16, maxLength: 64 * 1024 };

/** `read`, which looks at each of the last texts once. */
export function rememberReading<T>(read: (text: string) => T): (text: string) => T {
  return remembered(limits, read);
}
