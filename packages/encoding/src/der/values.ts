/** The values of primitive DER elements (X.690 sections 8 and 11). Each reader checks the tag first. */
import { EncodingError } from "../encoding-error.ts";
import { derExpect, type DerElement } from "./element.ts";
import { DER_TAG } from "./tags.ts";

/** Bits of a BIT STRING: whole bytes, of whose last one the lowest `unusedBits` bits (all zero) do not count. */
export interface DerBits {
  readonly bytes: Uint8Array;
  readonly unusedBits: number;
}

/** Versions, path lengths, CRL numbers and security versions fit; anything longer is for {@link derUnsigned}. */
const maxSmallBytes = 6;

/**
 * TRUE is 0xff and FALSE is 0x00 (X.690 section 11.1).
 *
 * @throws EncodingError for any other contents.
 */
export function derBoolean(element: DerElement | undefined, field: string = "der"): boolean {
  const { contents } = derExpect(element, DER_TAG.boolean, field);
  const value = contents[0];
  if (contents.length === 1 && (value === 0x00 || value === 0xff)) return value === 0xff;
  throw refused(field, "TRUE or FALSE", "other contents");
}

/**
 * The bytes of an INTEGER in two's complement, big-endian (X.690 section 8.3). A view.
 *
 * @throws EncodingError for a form longer than needed.
 */
export function derInteger(element: DerElement | undefined, field: string = "der"): Uint8Array {
  const { contents } = derExpect(element, DER_TAG.integer, field);
  const [first, second] = contents;
  if (first === undefined) throw refused(field, "an integer", "no contents");
  if (second === undefined) return contents;
  const signByte = second >= 0x80 ? 0xff : 0x00;
  if (first !== signByte) return contents;
  throw refused(field, "the shortest form of an integer", "a needless sign byte");
}

/**
 * The magnitude of a non-negative INTEGER, big-endian, without a leading zero byte (zero is one zero byte). A view.
 *
 * @throws EncodingError for a negative one, or for a form longer than needed.
 */
export function derUnsigned(element: DerElement | undefined, field: string = "der"): Uint8Array {
  const contents = derInteger(element, field);
  const first = contents[0] ?? 0;
  if (first >= 0x80) throw refused(field, "a non-negative integer", "a negative one");
  return contents.length > 1 && first === 0 ? contents.subarray(1) : contents;
}

/**
 * A non-negative INTEGER of at most 6 bytes.
 *
 * @throws EncodingError for a larger or a negative one, or for a form longer than needed.
 */
export function derSmallInteger(element: DerElement | undefined, field: string = "der"): number {
  const magnitude = derUnsigned(element, field);
  if (magnitude.length <= maxSmallBytes) return magnitude.reduce((value, byte) => value * 256 + byte, 0);
  throw new EncodingError("limit-exceeded", field, `at most ${maxSmallBytes} bytes`, `${magnitude.length} bytes`);
}

/** The contents of an OCTET STRING. A view. */
export function derOctetString(element: DerElement | undefined, field: string = "der"): Uint8Array {
  return derExpect(element, DER_TAG.octetString, field).contents;
}

/**
 * A BIT STRING (X.690 section 11.2).
 *
 * @throws EncodingError for more than 7 unused bits, unused bits of no byte, or unused bits that are set.
 */
export function derBits(element: DerElement | undefined, field: string = "der"): DerBits {
  const { contents } = derExpect(element, DER_TAG.bitString, field);
  const unusedBits = contents[0];
  const bytes = contents.subarray(1);
  if (unusedBits === undefined || unusedBits > (bytes.length === 0 ? 0 : 7)) {
    throw refused(field, "a count of unused bits up to 7", "another count");
  }
  if (((bytes.at(-1) ?? 0) & ((1 << unusedBits) - 1)) === 0) return { bytes, unusedBits };
  throw refused(field, "unused bits of zero", "unused bits that are set");
}

/**
 * A BIT STRING of whole bytes, as keys and signatures are. A view.
 *
 * @throws EncodingError where there are unused bits.
 */
export function derBitString(element: DerElement | undefined, field: string = "der"): Uint8Array {
  const { bytes, unusedBits } = derBits(element, field);
  if (unusedBits === 0) return bytes;
  throw refused(field, "whole bytes", `${unusedBits} unused bits`);
}

function refused(field: string, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, actual);
}
