/** What the tests say about bad data: it is refused, and by nothing but an EncodingError. */
import { expect } from "vitest";
import { EncodingError, type EncodingErrorCode } from "../src/index.ts";

/** The EncodingError that `read` throws; a test failure where it throws another, or nothing. */
export function refusal(read: () => unknown): EncodingError {
  const outcome = outcomeOf(read);
  expect(outcome, "expected an EncodingError").toBeInstanceOf(EncodingError);
  return outcome as EncodingError;
}

/** The code with which `read` refuses. */
export function refusalCode(read: () => unknown): EncodingErrorCode {
  return refusal(read).code;
}

/** What `read` returns, or `undefined` where it throws an EncodingError. Any other error fails the test. */
export function accepted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncodingError) return undefined;
    throw error;
  }
}

/** Every copy of `bytes` with one bit flipped. */
export function* bitFlips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

/** Every beginning of `bytes` that is not the whole, the empty one first. */
export function* truncations(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length += 1) yield bytes.slice(0, length);
}

function outcomeOf(read: () => unknown): unknown {
  try {
    read();
    return "accepted";
  } catch (error) {
    return error;
  }
}
