/** A CBOR writer for tests, so that a document can be wrong in any one way. Items are given and returned as bytes. */

export const BREAK = Uint8Array.of(0xff);
export const NULL = Uint8Array.of(0xf6);

/** A head; `width` is the number of bytes that the argument takes, where that is not the least. */
export function head(major: number, argument: number, width?: 0 | 1 | 2 | 4 | 8): Uint8Array {
  const least = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8;
  const bytes = width ?? least;
  if (bytes === 0) return Uint8Array.of((major << 5) | argument);
  const digits = argument.toString(16).padStart(2 * bytes, "0");
  return Buffer.concat([Uint8Array.of((major << 5) | (24 + Math.log2(bytes))), Buffer.from(digits, "hex")]);
}

export const unsigned = (value: number): Uint8Array => head(0, value);
export const negative = (value: number): Uint8Array => head(1, -1 - value);
export const byteString = (value: Uint8Array): Uint8Array => Buffer.concat([head(2, value.length), value]);
export const text = (value: string): Uint8Array =>
  Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
export const array = (...items: readonly Uint8Array[]): Uint8Array => Buffer.concat([head(4, items.length), ...items]);
export const tagged = (tag: number, item: Uint8Array): Uint8Array => Buffer.concat([head(6, tag), item]);
export const bytesOrNull = (value: Uint8Array | null): Uint8Array => (value === null ? NULL : byteString(value));

/** A key and its value. */
export type Entry = readonly [Uint8Array, Uint8Array];

export function map(entries: readonly Entry[]): Uint8Array {
  return Buffer.concat([head(5, entries.length), ...entries.flat()]);
}

export function indefiniteMap(entries: readonly Entry[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(0xbf), ...entries.flat(), BREAK]);
}

export function indefiniteBytes(...chunks: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(0x5f), ...chunks.map(byteString), BREAK]);
}
