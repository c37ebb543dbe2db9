/** What kind of value this is, without showing it: it may be a secret in the wrong place. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "string") return `a string of ${value.length} characters`;
  if (typeof value === "object") return "a map";
  return `a ${typeof value}`;
}

/** As `kindOf`, but shows numbers, booleans and short plain words: for members that never hold a secret. */
export function shown(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string" && /^[A-Za-z0-9_.:/*+ -]{1,24}$/.test(value)) return `"${value}"`;
  return kindOf(value);
}

/** `a, b or c`. */
export function oneOfWords(words: readonly (string | number)[]): string {
  const last = words.at(-1);
  return words.length < 2 ? String(last) : `${words.slice(0, -1).join(", ")} or ${String(last)}`;
}
