import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes, equalBytes, fromUtf8, utf8 } from "../src/index.ts";
import { accepted, bitFlips, refusal, refusalCode } from "./refusal.ts";

const bytes = fc.uint8Array({ maxLength: 64 });

describe("concatBytes and equalBytes", () => {
  test("concatenation agrees with Buffer.concat", () => {
    fc.assert(
      fc.property(fc.array(bytes), (parts) => {
        expect(concatBytes(...parts)).toEqual(new Uint8Array(Buffer.concat(parts)));
      }),
    );
  });

  test("concatenation copies: a later change of a part does not show", () => {
    const part = Uint8Array.of(1);
    const whole = concatBytes(part);
    part[0] = 2;
    expect(whole).toEqual(Uint8Array.of(1));
  });

  test("bytes equal themselves, and no copy with one bit flipped", () => {
    fc.assert(
      fc.property(bytes, (given) => {
        expect(equalBytes(given, given.slice())).toBe(true);
        for (const flipped of bitFlips(given)) expect(equalBytes(given, flipped)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  test("a prefix is not equal, and neither is what is longer by a zero byte", () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
    expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  });
});

describe("UTF-8", () => {
  test("any well-formed text comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        fc.pre(!text.startsWith("\uFEFF"));
        expect(fromUtf8(utf8(text))).toBe(text);
      }),
    );
  });

  test("agrees with Buffer on which bytes are UTF-8", () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const isUtf8 = Buffer.from(Buffer.from(given).toString("utf8")).equals(given);
        expect(accepted(() => fromUtf8(given)) !== undefined).toBe(isUtf8);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong zero", [0xe0, 0x80, 0x80]],
    ["an encoded surrogate", [0xed, 0xa0, 0x80]],
    ["a code point above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["a lone continuation", [0x80]],
    ["an unfinished sequence", [0xe2, 0x82]],
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61]],
  ])("refuses %s", (_, given) => {
    expect(refusalCode(() => fromUtf8(Uint8Array.from(given)))).toBe("bad-encoding");
  });

  test("keeps U+FEFF where it is no byte order mark", () => {
    expect(fromUtf8(utf8("a\uFEFF"))).toBe("a\uFEFF");
  });

  test.each(["\ud800", "a\udc00b", "\udc00\ud800"])("has no bytes for a lone surrogate", (text) => {
    expect(refusalCode(() => utf8(text))).toBe("bad-encoding");
  });

  test("names the field, and repeats nothing of the text", () => {
    const error = refusal(() => fromUtf8(Uint8Array.of(0x73, 0x65, 0x63, 0xff), "report.name"));
    expect(error.field).toBe("report.name");
    expect(error.message).not.toContain("sec");
  });
});
