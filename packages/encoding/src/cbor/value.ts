/** What CBOR (RFC 8949) is read to and written from: the part of it that attestation formats use. No floats, no `undefined`. */

/**
 * One data item. Integers are whole numbers within ±(2^53 - 1); byte strings are views of what was read.
 */
export type CborValue = number | boolean | null | string | Uint8Array | readonly CborValue[] | CborMap | CborTagged;

/** A map. The integer 1 and the text "1" are different keys. */
export type CborMap = ReadonlyMap<CborKey, CborValue>;

/** What a key may be. */
export type CborKey = number | string;

/** A data item behind a tag. */
export class CborTagged {
  readonly tag: number;
  readonly value: CborValue;

  constructor(tag: number, value: CborValue) {
    this.tag = tag;
    this.value = value;
  }
}
