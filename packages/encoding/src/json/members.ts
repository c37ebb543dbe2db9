/** Strict picking out of a JsonValue: each either returns exactly the shape that it names, or throws an EncodingError. */
import { EncodingError } from "../encoding-error.ts";
import type { JsonValue } from "./value.ts";

/** Bounds of an integer, both included. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/**
 * The members of an object that has exactly `members`: no more, no fewer.
 *
 * @example
 * const { index, size } = jsonObject(value, "proof", ["index", "size"]);
 */
export function jsonObject<Member extends string>(
  value: JsonValue | undefined,
  path: string,
  members: readonly Member[],
): Record<Member, JsonValue> {
  const given = plainObject(value, path);
  const picked = Object.create(null) as Record<Member, JsonValue>;
  for (const member of members) {
    const found = Object.hasOwn(given, member) ? given[member] : undefined;
    if (found === undefined) throw refused(`${path}.${member}`, "a value", "no such member");
    picked[member] = found;
  }
  const unknown = Object.keys(given).length - members.length;
  // Their names are the sender's choice and are not repeated.
  if (unknown !== 0) throw refused(path, `only ${members.join(", ")}`, `${unknown} unknown members`);
  return picked;
}

/** A string. */
export function jsonString(value: JsonValue | undefined, path: string): string {
  if (typeof value === "string") return value;
  throw refused(path, "a string", kindOf(value));
}

/** An integer within `range`, bounds included. */
export function jsonInteger(value: JsonValue | undefined, path: string, range: IntegerRange): number {
  const expected = `an integer from ${range.min} to ${range.max}`;
  if (typeof value !== "number") throw refused(path, expected, kindOf(value));
  if (Number.isSafeInteger(value) && value >= range.min && value <= range.max) return value;
  throw refused(path, expected, String(value));
}

/** An array of at most `maxItems` items. */
export function jsonArray(value: JsonValue | undefined, path: string, maxItems: number): readonly JsonValue[] {
  if (!Array.isArray(value)) throw refused(path, "an array", kindOf(value));
  const items: readonly JsonValue[] = value;
  if (items.length <= maxItems) return items;
  throw new EncodingError("limit-exceeded", path, `at most ${maxItems} items`, `${items.length} items`);
}

/** `true` or `false`. */
export function jsonBoolean(value: JsonValue | undefined, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw refused(path, "true or false", kindOf(value));
}

function plainObject(value: JsonValue | undefined, path: string): Readonly<Record<string, JsonValue>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refused(path, "an object", kindOf(value));
  }
  return value as Readonly<Record<string, JsonValue>>;
}

function kindOf(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}

function refused(path: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", path, expected, actual);
}
