/** The numbers that a CBOR head is made of (RFC 8949, section 3). */

/** The upper three bits of a head. */
export const CBOR_MAJOR = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** The lower five bits of a head that has no definite length. */
export const CBOR_INDEFINITE = 31;

/** The byte that ends what has no definite length. */
export const CBOR_BREAK = 0xff;

/** Simple values (section 3.3). */
export const CBOR_SIMPLE = { false: 20, true: 21, null: 22 } as const;
