/** Reading of what a caller passes: a wrong, missing or unknown member is a TypeError that names its path. */

/** The members of `value`, which must be an object with exactly the names given. */
export function exactMembers(
  value: unknown,
  path: string,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(path, "an object");
  const members = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(members).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`${path}.${unknown}: unknown; expected only ${names.join(", ")}`);
  const missing = names.find((name) => !Object.hasOwn(members, name) || members[name] === undefined);
  if (missing !== undefined) throw new TypeError(`${path}.${missing}: missing; nothing is assumed in its place`);
  return members;
}

/** A whole number of at least `min`. */
export function wholeNumber(value: unknown, path: string, min: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min) return value;
  return wrong(path, `a whole number of at least ${min}`);
}

/** One of the words given. */
export function word<T extends string>(value: unknown, path: string, allowed: readonly T[]): T {
  return (
    allowed.find((candidate) => candidate === value) ?? wrong(path, allowed.map((each) => `"${each}"`).join(" or "))
  );
}

/** A text that is not empty. */
export function nonEmptyText(value: unknown, path: string): string {
  return typeof value === "string" && value !== "" ? value : wrong(path, "a text that is not empty");
}

/** A list that is not empty: an empty one would demand nothing, or admit nothing. */
export function nonEmptyList(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) && value.length > 0
    ? (value as readonly unknown[])
    : wrong(path, "a list that is not empty");
}

/** A list of different texts that is not empty. */
export function distinctTexts(value: unknown, path: string): readonly string[] {
  const texts = nonEmptyList(value, path).map((text, at) => nonEmptyText(text, `${path}[${at}]`));
  return new Set(texts).size === texts.length ? Object.freeze(texts) : wrong(path, "a list without repetition");
}

/** Bytes, of exactly `length` where one is given, and never none. */
export function bytesOf(value: unknown, path: string, length?: number): Uint8Array {
  const fits = value instanceof Uint8Array && (length === undefined ? value.length > 0 : value.length === length);
  return fits
    ? value
    : wrong(path, length === undefined ? "a Uint8Array that is not empty" : `a Uint8Array of ${length} bytes`);
}

/** Throws the TypeError for a member that is not what it has to be. Never shows the value: it may be a secret. */
export function wrong(path: string, expected: string): never {
  throw new TypeError(`${path}: expected ${expected}`);
}
