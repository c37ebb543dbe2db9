/** Values of the CBOR that is read here, and how cborg says the same. */
import { decode, encode, rfc8949EncodeOptions, Tagged, type DecodeOptions } from "cborg";
import fc from "fast-check";
import { CborTagged, type CborLimits, type CborMap, type CborValue } from "../src/index.ts";

export const TAG = 18;

export const generous: CborLimits = { maxBytes: 1 << 20, maxDepth: 16, indefinite: false, tags: [TAG] };

const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((each) => !each.startsWith("\uFEFF"));
const integer = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 70_000 })).map((each) => each + 0);
const key = fc.oneof(integer, text);

/** Any value that can be read, four levels deep. */
export const cborValue: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "cbor" },
    fc.oneof(integer, text, fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.constant(null)),
    fc.array(tie("value"), { maxLength: 5, depthIdentifier: "cbor" }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 5, depthIdentifier: "cbor" }).map((entries) => new Map(entries)),
    tie("value").map((value) => new CborTagged(TAG, value)),
  ),
})).value;

const strictly: DecodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  tags: { [TAG]: (content) => new CborTagged(TAG, content() as CborValue) },
};

/** What cborg reads, as strictly as it can. */
export function cborgDecode(bytes: Uint8Array, indefinite = false): CborValue {
  return decode(bytes, { ...strictly, allowIndefinite: indefinite }) as CborValue;
}

/** What cborg writes under the rules of RFC 8949, section 4.2.1. */
export function cborgEncode(value: CborValue): Uint8Array {
  return encode(forCborg(value), rfc8949EncodeOptions);
}

function forCborg(value: CborValue): unknown {
  if (value instanceof CborTagged) return new Tagged(value.tag, forCborg(value.value));
  if (value instanceof Map) return new Map([...(value as CborMap)].map(([name, each]) => [name, forCborg(each)]));
  if (Array.isArray(value)) return (value as readonly CborValue[]).map(forCborg);
  return value;
}
