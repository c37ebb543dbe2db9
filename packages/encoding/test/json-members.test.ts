import { describe, expect, test } from "vitest";
import {
  jsonArray,
  jsonBoolean,
  jsonInteger,
  jsonObject,
  jsonString,
  parseCanonicalJson,
  type JsonValue,
} from "../src/index.ts";
import { refusal, refusalCode } from "./refusal.ts";

const kinds: readonly [string, JsonValue | undefined][] = [
  ["nothing", undefined],
  ["null", null],
  ["a boolean", true],
  ["a number", 1],
  ["a string", "a"],
  ["an array", []],
  ["an object", {}],
];
const allBut = (kind: string): readonly (JsonValue | undefined)[] =>
  kinds.filter(([name]) => name !== kind).map(([, value]) => value);

describe("jsonObject", () => {
  test("gives exactly the members that were named", () => {
    const { a, b } = jsonObject(parseCanonicalJson('{"a":1,"b":null}'), "proof", ["a", "b"]);
    expect([a, b]).toEqual([1, null]);
  });

  test("names the member that is missing", () => {
    const error = refusal(() => jsonObject({ a: 1 }, "proof", ["a", "b"]));
    expect([error.code, error.field]).toEqual(["bad-encoding", "proof.b"]);
  });

  test("refuses one member more, without repeating its name", () => {
    const error = refusal(() => jsonObject({ a: 1, hunter2: 2 }, "proof", ["a"]));
    expect([error.field, error.expected, error.actual]).toEqual(["proof", "only a", "1 unknown members"]);
  });

  test("refuses one member more where another is missing", () => {
    expect(refusalCode(() => jsonObject({ a: 1, c: 2 }, "proof", ["a", "b"]))).toBe("bad-encoding");
  });

  test.each(["toString", "constructor", "hasOwnProperty", "__proto__"])(
    "does not take an inherited %s for a member",
    (name) => {
      expect(refusal(() => jsonObject({}, "proof", [name])).field).toBe(`proof.${name}`);
    },
  );

  test("takes a member that is undefined for a missing one", () => {
    const value = { a: undefined } as unknown as JsonValue;
    expect(refusal(() => jsonObject(value, "proof", ["a"])).field).toBe("proof.a");
  });

  test("gives an object without a prototype", () => {
    expect(Object.getPrototypeOf(jsonObject({ a: 1 }, "proof", ["a"]))).toBeNull();
  });

  test("takes no members where none are named", () => {
    expect(Object.keys(jsonObject({}, "proof", []))).toEqual([]);
    expect(refusalCode(() => jsonObject({ a: 1 }, "proof", []))).toBe("bad-encoding");
  });

  test("refuses every other kind of value", () => {
    for (const value of allBut("an object")) expect(refusal(() => jsonObject(value, "proof", [])).field).toBe("proof");
  });
});

describe("jsonString, jsonBoolean", () => {
  test("give the value", () => {
    expect([jsonString("", "a"), jsonString("x", "a"), jsonBoolean(false, "a")]).toEqual(["", "x", false]);
  });

  test("refuse every other kind of value, naming the path and the kind", () => {
    for (const value of allBut("a string")) expect(refusal(() => jsonString(value, "a.b")).field).toBe("a.b");
    for (const value of allBut("a boolean")) expect(refusal(() => jsonBoolean(value, "a.b")).field).toBe("a.b");
    expect(refusal(() => jsonBoolean("hunter2", "a")).message).toBe(
      "a: expected true or false, got a value of type string (bad-encoding)",
    );
  });
});

describe("jsonInteger", () => {
  const range = { min: -1, max: 5 };

  test("takes both bounds", () => {
    expect([jsonInteger(-1, "a", range), jsonInteger(5, "a", range)]).toEqual([-1, 5]);
  });

  test.each([-2, 6, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("refuses %s", (value) => {
    expect(refusalCode(() => jsonInteger(value, "a", range))).toBe("bad-encoding");
  });

  test("refuses what is no safe integer within any range", () => {
    const all = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
    expect(refusalCode(() => jsonInteger(2 ** 53, "a", all))).toBe("bad-encoding");
  });

  test("repeats nothing of what is no number", () => {
    expect(refusal(() => jsonInteger("hunter2", "a", range)).actual).toBe("a value of type string");
  });

  test("refuses every other kind of value, a number in a string too", () => {
    for (const value of [...allBut("a number"), "1"]) {
      expect(refusalCode(() => jsonInteger(value, "a", range))).toBe("bad-encoding");
    }
  });
});

describe("jsonArray", () => {
  test("gives the items, up to the bound", () => {
    expect(jsonArray([1, "a"], "a", 2)).toEqual([1, "a"]);
    expect(refusalCode(() => jsonArray([1, 2, 3], "a", 2))).toBe("limit-exceeded");
  });

  test("refuses every other kind of value, also what looks like an array", () => {
    for (const value of [...allBut("an array"), { length: 0 }]) {
      expect(refusalCode(() => jsonArray(value, "a", 9))).toBe("bad-encoding");
    }
  });
});
