/**
 * Canonical JSON: RFC 8785 restricted to safe integers. One text for each value, and the only way in is a text that
 * equals the canonical form of what it parses to, so that a hash over the text is a hash over its meaning.
 */
import { fromUtf8, hasLoneSurrogate, utf8 } from "../bytes/text.ts";
import { EncodingError } from "../encoding-error.ts";
import type { JsonValue } from "./value.ts";

/** Bounds of a text that is read. */
export interface JsonLimits {
  /** Longest text, in bytes of UTF-8. Default 1 MiB: the largest document that we exchange. */
  readonly maxBytes?: number;
  /** Deepest nesting of arrays and objects; a bare string has 0, `{}` has 1. Default 32: twice our deepest document. */
  readonly maxDepth?: number;
}

const defaultMaxBytes = 1024 * 1024;
const defaultMaxDepth = 32;

/** The one name that an assignment would turn into a prototype in the hands of a careless reader. */
const prototypeMember = "__proto__";

/**
 * The canonical text of a value: members sorted by UTF-16 code units, no white space, RFC 8785's escapes.
 *
 * @throws EncodingError for what has no canonical form: a number that is no safe integer, minus zero, a lone surrogate,
 * `undefined` (also as a member or array item), a member `__proto__`, any object that is not plain, more than 32 levels.
 */
export function canonicalJson(value: JsonValue): string {
  return format(value, 0, defaultMaxDepth);
}

/**
 * Reads canonical JSON. Objects in the result have no prototype: `value["constructor"]` is what the text says or undefined.
 *
 * @throws EncodingError for any text or bytes other than the canonical form of a value within the limits: a duplicate
 * member, white space, another order, a needless escape, a fraction, bytes that are not UTF-8.
 */
export function parseCanonicalJson(input: string | Uint8Array, limits: JsonLimits = {}): JsonValue {
  const { maxBytes = defaultMaxBytes, maxDepth = defaultMaxDepth } = limits;
  const text = boundedText(input, maxBytes);
  const value = parse(text);
  if (format(value, 0, maxDepth) !== text) throw refused("canonical JSON", "another form of the same value");
  return withoutPrototype(value);
}

function boundedText(input: string | Uint8Array, maxBytes: number): string {
  const atLeast = input.length;
  if (atLeast > maxBytes) throw tooLong(maxBytes, atLeast);
  if (typeof input !== "string") return fromUtf8(input, "json");
  const bytes = utf8(input).length;
  if (bytes > maxBytes) throw tooLong(maxBytes, bytes);
  return input;
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // The engine's message quotes the text.
    throw refused("JSON", "other text");
  }
}

function format(value: unknown, depth: number, maxDepth: number): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return formatInteger(value);
  if (typeof value === "string") return formatString(value);
  if (typeof value !== "object") throw refused("a JSON value", `a value of type ${typeof value}`);
  if (depth >= maxDepth) throw new EncodingError("limit-exceeded", "json", `at most ${maxDepth} levels`, "more");
  if (Array.isArray(value)) return `[${Array.from(value, (item) => format(item, depth + 1, maxDepth)).join(",")}]`;
  return formatObject(value, depth + 1, maxDepth);
}

function formatInteger(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  throw refused("a safe integer", Object.is(value, -0) ? "minus zero" : "another number");
}

function formatString(text: string): string {
  if (!hasLoneSurrogate(text)) return JSON.stringify(text);
  throw refused("Unicode", "a lone surrogate");
}

function formatObject(value: object, depth: number, maxDepth: number): string {
  if (!isPlain(value)) throw refused("a JSON value", "an object that is not plain");
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members).sort();
  if (names.includes(prototypeMember)) throw refused("no member __proto__", "one");
  return `{${names.map((name) => `${formatString(name)}:${format(members[name], depth, maxDepth)}`).join(",")}}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function withoutPrototype(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(withoutPrototype);
  const bare = Object.create(null) as Record<string, JsonValue>;
  for (const [name, member] of Object.entries(value)) bare[name] = withoutPrototype(member);
  return bare;
}

function tooLong(maxBytes: number, atLeast: number): EncodingError {
  return new EncodingError("limit-exceeded", "json", `at most ${maxBytes} bytes`, `at least ${atLeast} bytes`);
}

function refused(expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", "json", expected, actual);
}
