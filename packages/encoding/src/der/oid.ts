import { EncodingError } from "../encoding-error.ts";
import { derExpect, type DerElement } from "./element.ts";
import { DER_TAG } from "./tags.ts";

/** The longest that a certificate needs have 12 bytes. */
const maxOidBytes = 64;

/**
 * An OBJECT IDENTIFIER in dotted form (X.690 section 8.19), such as `1.2.840.10045.2.1`.
 *
 * @throws EncodingError for an arc in a longer form than it needs, an unfinished one, or one above 2^53 - 1.
 */
export function derOid(element: DerElement | undefined, field: string = "der"): string {
  const { contents } = derExpect(element, DER_TAG.oid, field);
  if (contents.length > maxOidBytes) {
    throw new EncodingError("limit-exceeded", field, `an OID of at most ${maxOidBytes} bytes`, `${contents.length}`);
  }
  const [first = 0, ...rest] = subidentifiers(contents, field);
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - 40 * root, ...rest].join(".");
}

function subidentifiers(contents: Uint8Array, field: string): number[] {
  const found: number[] = [];
  let value = 0;
  let complete = true;
  for (const octet of contents) {
    if (complete && octet === 0x80) throw refused(field, "the shortest form of an arc", "a leading zero");
    value = value * 128 + (octet & 0x7f);
    if (!Number.isSafeInteger(value)) throw refused(field, "arcs up to 2^53 - 1", "a larger one");
    complete = octet < 0x80;
    if (!complete) continue;
    found.push(value);
    value = 0;
  }
  if (!complete || found.length === 0) throw refused(field, "whole arcs", "an unfinished one");
  return found;
}

function refused(field: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, actual);
}
