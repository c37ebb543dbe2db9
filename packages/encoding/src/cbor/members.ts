/** Strict picking out of a CborValue: each either returns exactly the kind that it names, or throws an EncodingError. */
import { EncodingError } from "../encoding-error.ts";
import type { IntegerRange } from "../json/members.ts";
import { CborTagged, type CborKey, type CborMap, type CborValue } from "./value.ts";

/** How many, both bounds included. */
export interface LengthRange {
  readonly min: number;
  readonly max: number;
}

/** A byte string whose length is within `length`. */
export function cborBytes(value: CborValue | undefined, path: string, length: LengthRange): Uint8Array {
  if (!(value instanceof Uint8Array)) throw refused(path, "bytes", kindOf(value));
  return within(value, path, length, "bytes");
}

/** A text whose length in UTF-16 units is within `length`. */
export function cborText(value: CborValue | undefined, path: string, length: LengthRange): string {
  if (typeof value !== "string") throw refused(path, "a text", kindOf(value));
  return within(value, path, length, "characters");
}

/** An array of which as many items as `length` says. */
export function cborArray(value: CborValue | undefined, path: string, length: LengthRange): readonly CborValue[] {
  if (!Array.isArray(value)) throw refused(path, "an array", kindOf(value));
  return within(value as readonly CborValue[], path, length, "items");
}

/** An integer within `range`. */
export function cborInteger(value: CborValue | undefined, path: string, range: IntegerRange): number {
  const expected = `an integer from ${range.min} to ${range.max}`;
  if (typeof value !== "number") throw refused(path, expected, kindOf(value));
  if (value >= range.min && value <= range.max) return value;
  throw refused(path, expected, String(value));
}

/** A map. */
export function cborMap(value: CborValue | undefined, path: string): CborMap {
  if (value instanceof Map) return value as CborMap;
  throw refused(path, "a map", kindOf(value));
}

/** A map all of whose keys are among `keys`. Which of them have to be there, the readers of their values say. */
export function cborMapOf(value: CborValue | undefined, path: string, keys: readonly CborKey[]): CborMap {
  const map = cborMap(value, path);
  const unknown = [...map.keys()].filter((key) => !keys.includes(key)).length;
  // Their names are the sender's choice and are not repeated.
  if (unknown === 0) return map;
  throw refused(path, keys.length === 0 ? "an empty map" : `only ${keys.join(", ")}`, `${unknown} unknown keys`);
}

function within<T extends { readonly length: number }>(
  value: T,
  path: string,
  { min, max }: LengthRange,
  unit: string,
): T {
  if (value.length >= min && value.length <= max) return value;
  throw refused(path, min === max ? `${min} ${unit}` : `${min} to ${max} ${unit}`, `${value.length} ${unit}`);
}

function kindOf(value: CborValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof CborTagged) return "a tagged value";
  if (value instanceof Map) return "a map";
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}

function refused(path: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", path, expected, actual);
}
