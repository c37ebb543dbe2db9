/** Strict reading of what callers hand over: every complaint is a TypeError that names the member, never its value. */

/** Names that a record must have and names that it may have. Anything else is refused. */
export interface MemberNames {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The members of `value`. A member that is `undefined` counts as left out. */
export function readMembers(value: unknown, path: string, names: MemberNames): Readonly<Record<string, unknown>> {
  const record = asRecord(value, path);
  const unknown = Object.keys(record).find((name) => !names.required.includes(name) && !names.optional.includes(name));
  if (unknown !== undefined) throw new TypeError(`${path}.${unknown} is unknown; known are ${list(names)}`);
  const missing = names.required.find((name) => record[name] === undefined);
  if (missing !== undefined) throw new TypeError(`${path}.${missing} is missing`);
  return record;
}

function list(names: MemberNames): string {
  return [...names.required, ...names.optional].join(", ");
}

function asRecord(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (value === undefined) throw new TypeError(`${path} is missing`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object");
  return value as Readonly<Record<string, unknown>>;
}

/** The TypeError for a member of the wrong kind. */
export function wrong(path: string, expected: string): TypeError {
  return new TypeError(`${path} must be ${expected}`);
}

/** An integer between `min` and `max`; `fallback` where it is left out. */
export function readInteger(value: unknown, path: string, range: IntegerRange): number {
  if (value === undefined) return range.fallback;
  const { min, max, unit } = range;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw wrong(path, `an integer between ${min} and ${max} (${unit})`);
}

/** What an integer may be, and what it is when nothing was said. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
  readonly unit: string;
}
