import { describe, expect, test } from "vitest";
import { CborTagged, encodeCbor, fromHex, parseCbor, toHex, utf8, type CborValue } from "../src/index.ts";
import { generous } from "./cbor-arbitrary.ts";
import { refusal, refusalCode, truncations } from "./refusal.ts";

const open = { ...generous, indefinite: true };

/** Of RFC 8949, appendix A: those of the kinds that are read. */
const examples: readonly (readonly [string, CborValue])[] = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["18ff", 255],
  ["190100", 256],
  ["1903e8", 1000],
  ["1a00010000", 65_536],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000],
  ["1b001fffffffffffff", Number.MAX_SAFE_INTEGER],
  ["20", -1],
  ["3863", -100],
  ["3903e7", -1000],
  ["3b001ffffffffffffe", Number.MIN_SAFE_INTEGER],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["40", new Uint8Array()],
  ["4401020304", Uint8Array.of(1, 2, 3, 4)],
  ["60", ""],
  ["6449455446", "IETF"],
  ["62c3bc", "ü"],
  ["64f0908591", "\u{10151}"],
  ["80", []],
  ["83010203", [1, 2, 3]],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["a0", new Map()],
  [
    "a201020304",
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  [
    "a26161016162820203",
    new Map<string, CborValue>([
      ["a", 1],
      ["b", [2, 3]],
    ]),
  ],
  ["d28101", new CborTagged(18, [1])],
];

describe("the examples of RFC 8949", () => {
  test.each(examples)("%s is read and written", (hex, value) => {
    expect(parseCbor(fromHex(hex), generous)).toEqual(value);
    expect(toHex(encodeCbor(value))).toBe(hex);
  });

  test.each([
    ["9fff", []],
    ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
    ["83018202039f0405ff", [1, [2, 3], [4, 5]]],
    ["bfff", new Map()],
    [
      "bf61610161629f0203ffff",
      new Map<string, CborValue>([
        ["a", 1],
        ["b", [2, 3]],
      ]),
    ],
  ])("%s is read only where indefinite lengths are", (hex, value) => {
    expect(refusalCode(() => parseCbor(fromHex(hex), generous))).toBe("bad-encoding");
    expect(parseCbor(fromHex(hex), open)).toEqual(value);
  });
});

describe("parseCbor refuses", () => {
  test.each([
    ["nothing", "", "truncated"],
    ["an integer in a byte that needs none", "1817", "bad-encoding"],
    ["an integer in two bytes that needs one", "1900ff", "bad-encoding"],
    ["an integer in four bytes that needs two", "1a0000ffff", "bad-encoding"],
    ["an integer in eight bytes that needs four", "1b00000000ffffffff", "bad-encoding"],
    ["a negative integer in a byte that needs none", "3817", "bad-encoding"],
    ["a length in a byte that needs none", "580161", "bad-encoding"],
    ["a length of text in two bytes that needs one", "79000161", "bad-encoding"],
    ["a length of an array in four bytes that needs none", "9a0000000101", "bad-encoding"],
    ["a number of pairs in eight bytes that needs none", "bb000000000000000101", "bad-encoding"],
    ["a tag in a byte that needs none", "d81200", "bad-encoding"],
    ["an integer of 54 bits", "1b0020000000000000", "limit-exceeded"],
    ["an integer of 64 bits", "1bffffffffffffffff", "limit-exceeded"],
    ["a negative integer of 54 bits", "3b001fffffffffffff", "limit-exceeded"],
    ["reserved additional information 28", "1c", "bad-encoding"],
    ["reserved additional information 30 of a map", "be", "bad-encoding"],
    ["an integer of indefinite length", "1f", "bad-encoding"],
    ["a tag of indefinite length", "df00", "bad-encoding"],
    ["a byte string of indefinite length", "5f4101ff", "bad-encoding"],
    ["a text of indefinite length", "7f6161ff", "bad-encoding"],
    ["a break on its own", "ff", "bad-encoding"],
    ["a break in an array of a definite length", "8201ff", "bad-encoding"],
    ["undefined", "f7", "bad-encoding"],
    ["a half float", "f93c00", "bad-encoding"],
    ["a single float", "fa47c35000", "bad-encoding"],
    ["a double float", "fb3ff199999999999a", "bad-encoding"],
    ["another simple value", "f0", "bad-encoding"],
    ["a simple value in a byte", "f8ff", "bad-encoding"],
    ["false in a byte", "f814", "bad-encoding"],
    ["a tag that is not named", "c000", "bad-encoding"],
    ["a key twice", "a201020103", "bad-encoding"],
    ["a text key twice", "a2616101616102", "bad-encoding"],
    ["a key that is bytes", "a1410102", "bad-encoding"],
    ["a key that is null", "a1f602", "bad-encoding"],
    ["a key that is an array", "a18002", "bad-encoding"],
    ["a text that is not UTF-8", "61ff", "bad-encoding"],
    ["a text with half of a surrogate pair", "63eda080", "bad-encoding"],
    ["a length beyond the input", "5affffffff", "truncated"],
    ["a length far beyond the input", "5b001fffffffffffff", "truncated"],
    ["a count beyond the input", "9affffffff", "truncated"],
    ["a count of pairs beyond the input", "ba7fffffff00", "truncated"],
    ["a map without its last value", "a101", "truncated"],
    ["a tag without an item", "d2", "truncated"],
    ["a byte behind", "0000", "trailing-bytes"],
    ["an item behind", "a0a0", "trailing-bytes"],
  ] as const)("%s", (_what, hex, code) => {
    expect(refusalCode(() => parseCbor(fromHex(hex), generous))).toBe(code);
  });

  test.each([
    "bf6161019f0203ffa0ff",
    "5f4101ff",
    "7f6161ff",
    "1f",
    "df00",
    "ff",
    "9f",
    "9f01",
    "bf",
    "bf01",
    "bf01ff",
    "bf0102",
    "9fff00",
  ])("%s, also where indefinite lengths are read", (hex) => {
    expect(["bad-encoding", "truncated", "trailing-bytes"]).toContain(refusalCode(() => parseCbor(fromHex(hex), open)));
  });

  test("every beginning of an item, and the item with a byte behind it", () => {
    const bytes = encodeCbor(["Signature1", Uint8Array.of(1), new Map([[1, -35]]), null, 70_000]);
    for (const cut of truncations(bytes)) expect(refusalCode(() => parseCbor(cut, generous))).toBe("truncated");
    expect(refusalCode(() => parseCbor(Uint8Array.of(...bytes, 0), generous))).toBe("trailing-bytes");
  });

  test("more bytes than the format has, unread", () => {
    const error = refusal(() => parseCbor(new Uint8Array(65), { ...generous, maxBytes: 64 }, "document"));
    expect([error.code, error.field, error.actual]).toEqual(["limit-exceeded", "document", "65 bytes"]);
  });

  test("more levels than the format has", () => {
    const nested = (levels: number): Uint8Array => Uint8Array.from([...Array<number>(levels).fill(0x81), 0]);
    expect(parseCbor(nested(3), { ...generous, maxDepth: 3 })).toEqual([[[0]]]);
    expect(refusalCode(() => parseCbor(nested(4), { ...generous, maxDepth: 3 }))).toBe("limit-exceeded");
    expect(refusalCode(() => parseCbor(new Uint8Array(1 << 20).fill(0x81), generous))).toBe("limit-exceeded");
    expect(refusalCode(() => parseCbor(new Uint8Array(1 << 20).fill(0xd2), generous))).toBe("limit-exceeded");
    expect(refusalCode(() => parseCbor(new Uint8Array(1 << 20).fill(0x9f), open))).toBe("limit-exceeded");
  });

  test("any container where no level is allowed", () => {
    for (const hex of ["80", "a0", "d200"]) {
      expect(refusalCode(() => parseCbor(fromHex(hex), { ...generous, maxDepth: 0 }))).toBe("limit-exceeded");
    }
  });
});

describe("what is read", () => {
  test("gives byte strings as plain views of the input, also of a Buffer", () => {
    const memory = Buffer.from("ff42aabbff", "hex");
    const value = parseCbor(memory.subarray(1, 4), generous) as Uint8Array;
    memory[2] = 1;
    expect([toHex(value), Object.getPrototypeOf(value) === Uint8Array.prototype]).toEqual(["01bb", true]);
  });

  test("keeps the integer 1 and the text 1 apart, and any order of keys", () => {
    expect([...(parseCbor(fromHex("a3613101010200f6"), generous) as Map<unknown, unknown>).keys()]).toEqual([
      "1",
      1,
      0,
    ]);
  });

  test("has no key of an object's prototype", () => {
    const map = parseCbor(encodeCbor(new Map([["__proto__", 1]])), generous) as Map<unknown, unknown>;
    expect([map.get("__proto__"), map.get("toString")]).toEqual([1, undefined]);
  });

  test("names no text of the sender's in an error", () => {
    const secret = utf8("attacker");
    const twice = Uint8Array.of(0xa2, 0x68, ...secret, 0, 0x68, ...secret, 0);
    expect(refusal(() => parseCbor(twice, generous)).message).not.toContain("attacker");
  });
});

describe("encodeCbor", () => {
  test("puts keys in the order of their bytes", () => {
    const map = new Map<number | string, CborValue>([
      ["b", 1],
      ["aa", 2],
      [-1, 3],
      [24, 4],
      [2, 5],
      ["a", 6],
    ]);
    expect(toHex(encodeCbor(map))).toBe("a60205181804200361610661620162616102");
  });

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53)])("refuses %d", (value) => {
    expect(() => encodeCbor(value)).toThrow(TypeError);
  });

  test.each([undefined, 1n, {}, () => 0])("refuses what is no value: %s", (value) => {
    expect(() => encodeCbor([value as unknown as CborValue])).toThrow(TypeError);
  });

  test("refuses a text with a lone surrogate", () => {
    expect(refusalCode(() => encodeCbor("\ud800"))).toBe("bad-encoding");
  });
});
