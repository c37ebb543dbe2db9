/** Makes DER for the tests; the shipped package only reads it. */
import { concatBytes } from "../src/index.ts";

/** One element with the shortest length. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const whole = concatBytes(...contents);
  return concatBytes(Uint8Array.of(tag), lengthOf(whole.length), whole);
}

function lengthOf(length: number): Uint8Array {
  if (length < 128) return Uint8Array.of(length);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return concatBytes(Uint8Array.of(0x80 | bytes.length), bytes);
}
