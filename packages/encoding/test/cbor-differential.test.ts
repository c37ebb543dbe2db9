/** Our CBOR against cborg's, an independent implementation with a strict mode. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { skipLine, vectorFiles } from "../../../conformance/vectors.ts";
import { encodeCbor, parseCbor, type CborValue } from "../src/index.ts";
import { cborgDecode, cborgEncode, cborValue, generous } from "./cbor-arbitrary.ts";
import { accepted } from "./refusal.ts";

const documents = vectorFiles([".cose"]).filter((file) => file.includes("/nitro/"));
if (documents.length === 0) console.log(skipLine("CBOR of real documents"));

describe("a value", () => {
  test("is written as cborg writes it, and read back by both", () => {
    const property = fc.property(cborValue, (value) => {
      const bytes = encodeCbor(value);
      expect(bytes).toEqual(new Uint8Array(cborgEncode(value)));
      expect(parseCbor(bytes, generous)).toEqual(value);
      expect(cborgDecode(bytes)).toEqual(value);
    });
    fc.assert(property, { numRuns: 300 });
  });
});

describe("what is accepted", () => {
  const same = (bytes: Uint8Array, indefinite: boolean): void => {
    const value = accepted(() => parseCbor(bytes, { ...generous, indefinite }));
    if (value !== undefined) expect(cborgDecode(bytes, indefinite)).toEqual(value);
  };

  test("is accepted by cborg with the same value: any bytes", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 24 }), fc.boolean(), same);
    fc.assert(property, { numRuns: 2000 });
  });

  test("is accepted by cborg with the same value: a value with one byte changed", () => {
    const property = fc.property(cborValue, fc.nat(), fc.nat(255), fc.boolean(), (value, at, byte, indefinite) => {
      const bytes = encodeCbor(value);
      bytes[at % bytes.length] = byte;
      same(bytes, indefinite);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

test.skipIf(documents.length === 0).each(documents.map((file) => [file.split("/").at(-1) ?? file, file] as const))(
  "the document %s is read as cborg reads it",
  (_name, file) => {
    const bytes = new Uint8Array(readFileSync(file));
    const document = parseCbor(bytes, generous) as readonly CborValue[];
    expect(document).toEqual(cborgDecode(bytes));
    const [header, , payload] = document as readonly Uint8Array[];
    for (const part of [header, payload]) {
      expect(part).toBeInstanceOf(Uint8Array);
      if (part === undefined) continue;
      expect(parseCbor(part, { ...generous, indefinite: true })).toEqual(cborgDecode(part, true));
    }
  },
);
