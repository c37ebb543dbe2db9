/**
 * Strict CBOR (RFC 8949): integers and lengths in their shortest form, no key twice, definite strings, nothing behind the
 * item. Not demanded is an order of keys: what is signed is signed as it stands.
 */
import { ByteReader } from "../bytes/byte-reader.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { EncodingError } from "../encoding-error.ts";
import { CBOR_BREAK, CBOR_INDEFINITE, CBOR_MAJOR, CBOR_SIMPLE } from "./major-types.ts";
import { CborTagged, type CborKey, type CborMap, type CborValue } from "./value.ts";

/** What the reader of one format says of it. Every member is required. */
export interface CborLimits {
  /** Longest input that is looked at. */
  readonly maxBytes: number;
  /** Arrays, maps and tags within one another; 0 admits a single integer, string or simple value. */
  readonly maxDepth: number;
  /** Whether arrays and maps may end in a break instead of naming their length. Strings never may. */
  readonly indefinite: boolean;
  /** The tags that may stand before an item. */
  readonly tags: readonly number[];
}

/**
 * The one data item that `bytes` are. Byte strings in it are views of `bytes`.
 *
 * @throws EncodingError for anything else, and for floats, `undefined` and other simple values, integers beyond 2^53 - 1,
 * keys that are no integer and no text, and whatever is beyond `limits`.
 */
export function parseCbor(bytes: Uint8Array, limits: CborLimits, field: string = "cbor"): CborValue {
  if (bytes.length > limits.maxBytes) {
    throw new EncodingError("limit-exceeded", field, `at most ${limits.maxBytes} bytes`, `${bytes.length} bytes`);
  }
  const reader = new ByteReader(bytes, field);
  const value = readItem({ reader, limits, field }, 0);
  reader.end();
  return value;
}

interface Source {
  readonly reader: ByteReader;
  readonly limits: CborLimits;
  readonly field: string;
}

function readItem(source: Source, depth: number): CborValue {
  return readBehind(source, source.reader.u8("head"), depth);
}

function readBehind(source: Source, head: number, depth: number): CborValue {
  const major = head >> 5;
  const info = head & 0x1f;
  switch (major) {
    case CBOR_MAJOR.unsigned:
      return readArgument(source, info);
    case CBOR_MAJOR.negative:
      return readNegative(source, info);
    case CBOR_MAJOR.bytes:
      return source.reader.bytes(readArgument(source, info), "bytes");
    case CBOR_MAJOR.text:
      return fromUtf8(source.reader.bytes(readArgument(source, info), "text"), source.field);
    case CBOR_MAJOR.array:
      return readArray(source, info, below(source, depth));
    case CBOR_MAJOR.map:
      return readMap(source, info, below(source, depth));
    case CBOR_MAJOR.tag:
      return readTagged(source, info, below(source, depth));
    default:
      return readSimple(source, info);
  }
}

function below({ limits, field }: Source, depth: number): number {
  if (depth < limits.maxDepth) return depth + 1;
  throw new EncodingError("limit-exceeded", field, `at most ${limits.maxDepth} levels`, "more");
}

/** The number in a head, which no fewer bytes could have said. */
function readArgument(source: Source, info: number): number {
  const { reader } = source;
  if (info < 24) return info;
  if (info === 24) return shortest(source, reader.u8("argument"), 24);
  if (info === 25) return shortest(source, reader.u16be("argument"), 0x100);
  if (info === 26) return shortest(source, reader.u32be("argument"), 0x1_0000);
  if (info === 27) return safe(source, shortest(source, reader.u64be("argument"), 0x1_0000_0000n));
  throw refused(source, "a definite length or a number", `additional information ${info}`);
}

function shortest<T extends number | bigint>(source: Source, value: T, least: T): T {
  if (value >= least) return value;
  throw refused(source, "the shortest form of a number", `${value} in a longer one`);
}

function safe({ field }: Source, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new EncodingError("limit-exceeded", field, "a number of at most 53 bits", "a greater one");
}

function readNegative(source: Source, info: number): number {
  const value = -1 - readArgument(source, info);
  if (Number.isSafeInteger(value)) return value;
  throw new EncodingError("limit-exceeded", source.field, "a number of at most 53 bits", "a lower one");
}

function readArray(source: Source, info: number, depth: number): readonly CborValue[] {
  const items: CborValue[] = [];
  for (const head of heads(source, info, 1)) items.push(readBehind(source, head, depth));
  return items;
}

function readMap(source: Source, info: number, depth: number): CborMap {
  const entries = new Map<CborKey, CborValue>();
  for (const head of heads(source, info, 2)) {
    const key = readBehind(source, head, depth);
    if (typeof key !== "number" && typeof key !== "string")
      throw refused(source, "a number or a text as key", "another");
    if (entries.has(key)) throw refused(source, "each key once", "one twice");
    entries.set(key, readItem(source, depth));
  }
  return entries;
}

/** The head of each item of an array, or of each key of a map, up to the length that was named or the break. */
function* heads(source: Source, info: number, itemsEach: 1 | 2): Generator<number> {
  const { reader, limits, field } = source;
  if (info === CBOR_INDEFINITE && limits.indefinite) {
    for (let head = reader.u8("head"); head !== CBOR_BREAK; head = reader.u8("head")) yield head;
    return;
  }
  const count = readArgument(source, info);
  // Every item takes a byte at least: a count is believed only as far as there are bytes.
  if (count * itemsEach > reader.remaining) {
    throw new EncodingError("truncated", field, `${count * itemsEach} items`, `${reader.remaining} bytes`);
  }
  for (let read = 0; read < count; read += 1) yield reader.u8("head");
}

function readTagged(source: Source, info: number, depth: number): CborTagged {
  const tag = readArgument(source, info);
  const { tags } = source.limits;
  if (tags.includes(tag)) return new CborTagged(tag, readItem(source, depth));
  throw refused(source, tags.length === 0 ? "no tag" : `tag ${tags.join(" or ")}`, `tag ${tag}`);
}

function readSimple(source: Source, info: number): boolean | null {
  if (info === CBOR_SIMPLE.false) return false;
  if (info === CBOR_SIMPLE.true) return true;
  if (info === CBOR_SIMPLE.null) return null;
  throw refused(source, "a number, text, bytes, array, map, true, false or null", `additional information ${info}`);
}

function refused({ reader, field }: Source, expected: string, actual: string): EncodingError {
  return new EncodingError("bad-encoding", field, expected, `${actual}, before byte ${reader.offset}`);
}
