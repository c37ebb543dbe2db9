/** Whatever the input, the reader returns or throws an EncodingError, and does not outgrow it. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { skipLine, vectorFiles } from "../../../conformance/vectors.ts";
import { encodeCbor, equalBytes, parseCbor, type CborValue } from "../src/index.ts";
import { cborgDecode, generous } from "./cbor-arbitrary.ts";
import { accepted, bitFlips, truncations } from "./refusal.ts";

const [document] = vectorFiles(["prod-dstack-2025.cose"]);
if (document === undefined) console.log(skipLine("mutations of a real document's CBOR"));
const open = { ...generous, indefinite: true, tags: [18, 1] };

test("any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
      accepted(() => parseCbor(bytes, open));
    }),
    { numRuns: 5000 },
  );
});

test.skipIf(document === undefined)("a real payload with one bit flipped is refused, or read as cborg reads it", () => {
  const [, , payload] = parseCbor(new Uint8Array(readFileSync(document ?? "")), generous) as readonly CborValue[];
  let read = 0;
  for (const flipped of bitFlips((payload as Uint8Array).slice())) {
    const value = accepted(() => parseCbor(flipped, { ...generous, indefinite: true }));
    if (value === undefined) continue;
    read += 1;
    // Byte by byte, which is faster than comparing two trees.
    if (!equalBytes(encodeCbor(value), encodeCbor(cborgDecode(flipped, true)))) expect.fail("read otherwise");
  }
  expect(read).toBeGreaterThan(1000);
});

test.skipIf(document === undefined)("a real payload cut short anywhere is refused", () => {
  const [, , payload] = parseCbor(new Uint8Array(readFileSync(document ?? "")), generous) as readonly CborValue[];
  for (const cut of truncations((payload as Uint8Array).slice())) {
    expect(accepted(() => parseCbor(cut, open))).toBeUndefined();
  }
});
