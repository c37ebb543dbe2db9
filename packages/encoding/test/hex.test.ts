import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex, utf8, fromUtf8 } from "../src/index.ts";
import { accepted, bitFlips, refusal, refusalCode } from "./refusal.ts";

test("agrees with Buffer on every byte string", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = Buffer.from(bytes).toString("hex");
      expect(toHex(bytes)).toBe(text);
      expect(fromHex(text)).toEqual(bytes);
    }),
  );
});

test("writes each of the 256 bytes in lower case", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(toHex(all)).toBe(Buffer.from(all).toString("hex"));
});

test("reads only texts that it writes: whatever is accepted comes back, whatever else is refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."09afAFgG \n:xéＡ".split("")), maxLength: 6 }), (text) => {
      const bytes = accepted(() => fromHex(text));
      const isHex = /^([0-9a-f]{2})*$/.test(text);
      expect(bytes === undefined ? null : toHex(bytes)).toBe(isHex ? text : null);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  "a",
  "abc",
  "AB",
  "aB",
  "0x00",
  "a ",
  " a",
  "a\n",
  "0g",
  "a:",
  "\u{1d7d8}",
  "\u0660\u0660",
  "/0",
  ":0",
  "`0",
])("refuses %j", (text) => {
  expect(refusalCode(() => fromHex(text))).toBe("bad-encoding");
});

test("a flipped bit is refused or gives other bytes", () => {
  const text = "0123456789abcdef";
  for (const flipped of bitFlips(utf8(text))) {
    const changed = accepted(() => fromUtf8(flipped));
    if (changed === undefined) continue;
    const bytes = accepted(() => fromHex(changed));
    if (bytes !== undefined) expect(toHex(bytes)).toBe(changed);
  }
  expect(toHex(fromHex(text))).toBe(text);
});

test("names the field and the place, and repeats nothing of the text", () => {
  const error = refusal(() => fromHex("00secret!!", "manifest.apiKey"));
  expect(error.field).toBe("manifest.apiKey");
  expect(error.actual).toBe("another character at 2");
});
