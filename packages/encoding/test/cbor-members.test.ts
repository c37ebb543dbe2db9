import { describe, expect, test } from "vitest";
import {
  CborTagged,
  cborArray,
  cborBytes,
  cborInteger,
  cborMap,
  cborMapOf,
  cborText,
  type CborValue,
} from "../src/index.ts";
import { refusal } from "./refusal.ts";

const one = { min: 1, max: 1 };
const values: readonly (readonly [string, CborValue | undefined])[] = [
  ["a value of type number", 1],
  ["a value of type string", "a"],
  ["bytes", Uint8Array.of(1)],
  ["an array", [1]],
  ["a map", new Map([[1, 1]])],
  ["a tagged value", new CborTagged(18, 1)],
  ["null", null],
  ["a value of type boolean", true],
  ["nothing", undefined],
];

const readers = [
  ["a value of type number", "an integer from 1 to 1", (value) => cborInteger(value, "at", one)],
  ["a value of type string", "a text", (value) => cborText(value, "at", one)],
  ["bytes", "bytes", (value) => cborBytes(value, "at", one)],
  ["an array", "an array", (value) => cborArray(value, "at", one)],
  ["a map", "a map", (value) => cborMap(value, "at")],
] as const satisfies readonly (readonly [string, string, (value: CborValue | undefined) => unknown])[];

describe.each(readers)("of %s", (own, expected, read) => {
  test.each(values)("%s is taken or refused", (kind, value) => {
    if (kind === own) return expect(read(value)).toBe(value);
    const error = refusal(() => read(value));
    return expect([error.code, error.field, error.expected, error.actual]).toEqual([
      "bad-encoding",
      "at",
      expected,
      kind,
    ]);
  });
});

describe("lengths and ranges", () => {
  test.each([
    ["no bytes", () => cborBytes(new Uint8Array(), "at", one), "1 bytes", "0 bytes"],
    ["too many bytes", () => cborBytes(new Uint8Array(3), "at", { min: 1, max: 2 }), "1 to 2 bytes", "3 bytes"],
    ["no text", () => cborText("", "at", one), "1 characters", "0 characters"],
    ["too many items", () => cborArray([1, 2], "at", one), "1 items", "2 items"],
    ["a number below", () => cborInteger(0, "at", one), "an integer from 1 to 1", "0"],
    ["a number above", () => cborInteger(2, "at", one), "an integer from 1 to 1", "2"],
  ])("%s is refused", (_what, read, expected, actual) => {
    const error = refusal(read);
    expect([error.expected, error.actual]).toEqual([expected, actual]);
  });
});

describe("cborMapOf", () => {
  test("takes a map with some of the keys", () => {
    const map = new Map<number | string, CborValue>([
      [1, 1],
      ["a", 2],
    ]);
    expect(cborMapOf(map, "at", [1, "a", "b"])).toBe(map);
  });

  test("refuses any other key, and does not repeat it", () => {
    const error = refusal(() => cborMapOf(new Map([["attacker", 1]]), "at", [1, "a"]));
    expect([error.expected, error.actual]).toEqual(["only 1, a", "1 unknown keys"]);
    expect(refusal(() => cborMapOf(new Map([[1, 1]]), "at", [])).expected).toBe("an empty map");
    expect(refusal(() => cborMapOf(new Map([["1", 1]]), "at", [1])).actual).toBe("1 unknown keys");
  });
});
