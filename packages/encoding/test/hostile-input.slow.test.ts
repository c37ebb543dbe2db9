/** Whatever the input, a reader returns or throws an EncodingError: no other error, and no endless loop. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ByteReader,
  derBits,
  derBitString,
  derBoolean,
  derChildren,
  derInteger,
  derOctetString,
  derOid,
  derRead,
  derSmallInteger,
  derText,
  derTime,
  derUnsigned,
  EncodingError,
  fromBase64,
  fromBase64url,
  fromHex,
  fromUtf8,
  parseCanonicalJson,
  parsePem,
  parseSha256,
  type DerElement,
} from "../src/index.ts";

const elementReaders = [
  derBits,
  derBitString,
  derBoolean,
  derChildren,
  derInteger,
  derOctetString,
  derOid,
  derSmallInteger,
  derText,
  derTime,
  derUnsigned,
] as const;

const textReaders: readonly ((text: string) => unknown)[] = [
  fromHex,
  fromBase64,
  fromBase64url,
  parseSha256,
  (text) => parsePem(text, "CERTIFICATE"),
  (text) => parsePem(`-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`, "CERTIFICATE"),
  (text) => parseCanonicalJson(text),
  (text) => parseCanonicalJson(`"${text}"`),
  (text) => parseCanonicalJson(`{"${text}":[${text}]}`),
];

function onlyEncodingErrors(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError);
  }
}

function readDeep(element: DerElement): void {
  for (const reader of elementReaders) onlyEncodingErrors(() => reader(element));
  if ((element.tag & 0x20) !== 0) derChildren(element).forEach(readDeep);
}

/** Bytes that begin like DER now and then, so that the search comes further than the first tag. */
const derLike = fc
  .array(
    fc.oneof(
      fc.constantFrom([0x30, 0x03], [0x02, 0x01], [0x30, 0x80], [0x06, 0x02], [0x03, 0x02], [0x17, 0x0d], [0x30, 0x81]),
      fc.array(fc.nat(255), { maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

test("text readers", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.base64String(), fc.json());
  fc.assert(
    fc.property(text, (given) => textReaders.forEach((read) => onlyEncodingErrors(() => read(given)))),
    { numRuns: 2000 },
  );
});

test("text readers, of lone surrogates and odd units", () => {
  const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), (given) => {
      textReaders.forEach((read) => onlyEncodingErrors(() => read(given)));
    }),
    { numRuns: 2000 },
  );
});

test("byte readers", () => {
  fc.assert(
    fc.property(fc.oneof(derLike, fc.uint8Array()), (given) => {
      onlyEncodingErrors(() => fromUtf8(given));
      onlyEncodingErrors(() => parseCanonicalJson(given));
      onlyEncodingErrors(() => readDeep(derRead(given)));
      onlyEncodingErrors(() => readDeep(derRead(Uint8Array.of(0x30, given.length & 0x7f, ...given))));
    }),
    { numRuns: 3000 },
  );
});

test("the byte reader, whatever lengths the data asks for", () => {
  const length = fc.oneof(fc.integer(), fc.double(), fc.nat(20), fc.constant(2 ** 53));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 16 }), fc.array(length), (given, lengths) => {
      const reader = new ByteReader(given, "input");
      for (const asked of lengths) onlyEncodingErrors(() => reader.bytes(asked, "part"));
      onlyEncodingErrors(() => reader.end());
      expect(reader.offset + reader.remaining).toBe(given.length);
    }),
  );
});
