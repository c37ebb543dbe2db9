/**
 * JSON that others wrote and signed as it stands: in any order and with any white space, so it is not canonical, and its
 * exact text matters. Stricter than the language's own reader: no member twice, no `__proto__`, safe integers and Unicode
 * only.
 */
import { hasLoneSurrogate } from "../bytes/text.ts";
import { EncodingError } from "../encoding-error.ts";
import { ForeignJsonScanner } from "./foreign-scanner.ts";
import type { JsonValue } from "./value.ts";

/** Bounds of a text that is read. */
export interface ForeignJsonLimits {
  /** Longest text, in UTF-16 code units. Default 1 Mi: the largest document that we exchange has as many bytes. */
  readonly maxLength?: number;
  /** Deepest nesting of arrays and objects; a bare string has 0, `{}` has 1. Default 32: four times a vendor's deepest. */
  readonly maxDepth?: number;
}

/** A text that has been read, with the way from a member back to its exact text. */
export interface ForeignJson {
  /** Objects in it have no prototype: `value["constructor"]` is what the text says, or undefined. */
  readonly value: JsonValue;
  /**
   * The exact text of the value of a member of the outermost object, from its first character to its last: what a signature
   * over that member covers.
   *
   * @throws EncodingError where there is no such member.
   */
  readonly textOf: (member: string) => string;
}

const defaultMaxLength = 1024 * 1024;
const defaultMaxDepth = 32;

/**
 * Reads one JSON value, with nothing but white space around it. `field` is what errors call the text.
 *
 * @throws EncodingError for whatever is not JSON (RFC 8259), for a member given twice or named `__proto__`, a number with a
 * fraction or an exponent, minus zero, an integer that is not safe, a lone surrogate, and whatever exceeds the limits.
 * @example
 * const { value, textOf } = parseForeignJson(answer, "tcbInfo");
 * const signed = utf8(textOf("tcbInfo"));
 */
export function parseForeignJson(text: string, field: string = "json", limits: ForeignJsonLimits = {}): ForeignJson {
  const { maxLength = defaultMaxLength, maxDepth = defaultMaxDepth } = limits;
  if (text.length > maxLength) {
    throw new EncodingError("limit-exceeded", field, `at most ${maxLength} characters`, `${text.length} characters`);
  }
  if (hasLoneSurrogate(text)) throw new EncodingError("bad-encoding", field, "Unicode", "a lone surrogate");
  const scanner = new ForeignJsonScanner(text, field, maxDepth);
  const value = scanner.document();
  const places = scanner.outermost;
  return {
    value,
    textOf: (member) => {
      const place = places.get(member);
      if (place !== undefined) return text.slice(place.start, place.end);
      throw new EncodingError("bad-encoding", field, "that member", "no such member");
    },
  };
}
