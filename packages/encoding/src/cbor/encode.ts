/** Deterministic CBOR (RFC 8949, section 4.2.1): one byte string for each value. */
import { ByteWriter } from "../bytes/byte-writer.ts";
import { toHex } from "../bytes/hex.ts";
import { utf8 } from "../bytes/text.ts";
import { CBOR_MAJOR, CBOR_SIMPLE } from "./major-types.ts";
import { CborTagged, type CborMap, type CborValue } from "./value.ts";

/**
 * The bytes of a value: shortest forms, definite lengths, keys in the order of their bytes.
 *
 * @throws TypeError for a number that is not whole or beyond 2^53 - 1; EncodingError for a text with a lone surrogate.
 * @example encodeCbor(["Signature1", protectedHeader, new Uint8Array(), payload])
 */
export function encodeCbor(value: CborValue): Uint8Array {
  const writer = new ByteWriter();
  writeItem(writer, value);
  return writer.finish();
}

function writeItem(writer: ByteWriter, value: CborValue): void {
  if (typeof value === "number") writeInteger(writer, value);
  else if (typeof value === "string") writeString(writer, CBOR_MAJOR.text, utf8(value));
  else if (value instanceof Uint8Array) writeString(writer, CBOR_MAJOR.bytes, value);
  else if (value instanceof CborTagged) writeTagged(writer, value);
  else if (value instanceof Map) writeMap(writer, value as CborMap);
  else if (Array.isArray(value)) writeArray(writer, value as readonly CborValue[]);
  else writeHead(writer, CBOR_MAJOR.simple, simpleOf(value));
}

function simpleOf(value: unknown): number {
  if (value === null) return CBOR_SIMPLE.null;
  if (typeof value === "boolean") return value ? CBOR_SIMPLE.true : CBOR_SIMPLE.false;
  throw new TypeError("cbor: expected a number, text, bytes, array, Map, tagged value, true, false or null");
}

function writeInteger(writer: ByteWriter, value: number): void {
  if (!Number.isSafeInteger(value)) throw new TypeError("cbor: expected a whole number of at most 53 bits");
  if (value >= 0) writeHead(writer, CBOR_MAJOR.unsigned, value);
  else writeHead(writer, CBOR_MAJOR.negative, -1 - value);
}

function writeString(writer: ByteWriter, major: number, bytes: Uint8Array): void {
  writeHead(writer, major, bytes.length);
  writer.bytes(bytes);
}

function writeArray(writer: ByteWriter, items: readonly CborValue[]): void {
  writeHead(writer, CBOR_MAJOR.array, items.length);
  for (const item of items) writeItem(writer, item);
}

function writeMap(writer: ByteWriter, map: CborMap): void {
  writeHead(writer, CBOR_MAJOR.map, map.size);
  const entries = [...map].map(([key, value]) => ({ key: encodeCbor(key), value }));
  // Hex sorts as the bytes do.
  const sorted = entries.toSorted((a, b) => (toHex(a.key) < toHex(b.key) ? -1 : 1));
  for (const { key, value } of sorted) {
    writer.bytes(key);
    writeItem(writer, value);
  }
}

function writeTagged(writer: ByteWriter, { tag, value }: CborTagged): void {
  writeHead(writer, CBOR_MAJOR.tag, tag);
  writeItem(writer, value);
}

function writeHead(writer: ByteWriter, major: number, argument: number): void {
  const first = major << 5;
  if (argument < 24) writer.u8(first | argument);
  else if (argument < 0x100) writer.u8(first | 24).u8(argument);
  else if (argument < 0x1_0000) writer.u8(first | 25).u16be(argument);
  else if (argument < 0x1_0000_0000) writer.u8(first | 26).u32be(argument);
  else writer.u8(first | 27).u64be(BigInt(argument));
}
