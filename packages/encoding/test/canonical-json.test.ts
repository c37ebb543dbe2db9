import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, EncodingError, fromUtf8, parseCanonicalJson, utf8, type JsonValue } from "../src/index.ts";
import { accepted, bitFlips, refusal, refusalCode, truncations } from "./refusal.ts";

/** A second reading of RFC 8785, as naive as can be: selection sort by code units, escapes one by one. */
function naive(value: JsonValue): string {
  if (value === null || typeof value !== "object") return typeof value === "string" ? naiveString(value) : `${value}`;
  if (Array.isArray(value)) return `[${value.map(naive).join(",")}]`;
  const object = value as Readonly<Record<string, JsonValue>>;
  const left = new Set(Object.keys(object));
  let text = "";
  while (left.size > 0) {
    const name = [...left].reduce((least, candidate) => (before(candidate, least) ? candidate : least));
    left.delete(name);
    text += `${text === "" ? "" : ","}${naiveString(name)}:${naive(object[name] ?? null)}`;
  }
  return `{${text}}`;
}

function before(a: string, b: string): boolean {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a.charCodeAt(at) !== b.charCodeAt(at)) return a.charCodeAt(at) < b.charCodeAt(at);
  }
  return a.length < b.length;
}

function naiveString(text: string): string {
  const short: Readonly<Record<number, string>> = { 8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\" };
  let quoted = "";
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (short[code] !== undefined) quoted += `\\${short[code]}`;
    else quoted += code < 32 ? `\\u00${code < 16 ? "0" : "1"}${"0123456789abcdef"[code % 16]}` : text[at];
  }
  return `"${quoted}"`;
}

const memberName = fc.string({ unit: "binary", maxLength: 4 }).filter((name) => name !== "__proto__");
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<JsonValue>(null, true, false, 0, 1, -1),
    fc.maxSafeInteger(),
    fc.string({ unit: "binary" }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(memberName, tie("value"), { maxKeys: 4 }),
  ),
})).value;

const sample = canonicalJson({ a: [1, -20, "é€😀", { "": null }], b: { x: true, y: '\n"\\\u0001' }, c: "0" });

describe("the canonical text", () => {
  test("sorts members by UTF-16 code units, as in RFC 8785 section 3.2.3", () => {
    const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  test("escapes strings as in RFC 8785 section 3.2.2.2", () => {
    expect(canonicalJson("\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/")).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
    );
    expect(canonicalJson("\b\t\n\f\r\u0000\u001f\u007f\u2028")).toBe('"\\b\\t\\n\\f\\r\\u0000\\u001f\u007f\u2028"');
  });

  test("has no white space, and keeps the order of arrays", () => {
    expect(canonicalJson({ b: [3, 1, 2], a: {}, "": [] })).toBe('{"":[],"a":{},"b":[3,1,2]}');
  });

  test("sorts names that look like numbers as texts", () => {
    expect(canonicalJson({ "10": 1, "9": 2, "1": 3 })).toBe('{"1":3,"10":1,"9":2}');
  });

  test("agrees with a naive reading of the RFC, and comes back as the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(text).toBe(naive(value));
        expect(parseCanonicalJson(text)).toEqual(value);
        expect(parseCanonicalJson(utf8(text), { maxBytes: utf8(text).length })).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["a fraction", 0.5],
    ["minus zero", -0],
    ["2^53", 2 ** 53],
    ["-2^53", -(2 ** 53)],
    ["1e21", 1e21],
    ["not a number", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["undefined", undefined],
    ["a member that is undefined", { a: undefined }],
    ["an item that is undefined", [undefined]],
    ["a hole in an array", Object.assign([], { length: 2 })],
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("a")],
    ["bytes", Uint8Array.of(1)],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a boxed string", Object("a")],
    ["an instance of a class", new Error("a")],
    ["a lone surrogate", "\ud800"],
    ["a lone surrogate in a name", { "\udfff": 1 }],
    ["a surrogate pair the wrong way round", "\udc00\ud800"],
    ["a member __proto__", JSON.parse('{"__proto__":1}')],
    ["a member __proto__ deep inside", [{ a: JSON.parse('{"__proto__":{}}') as JsonValue }]],
  ])("there is none of %s", (_, value) => {
    expect(refusalCode(() => canonicalJson(value as JsonValue))).toBe("bad-encoding");
  });

  test("there is none of a value that contains itself", () => {
    const loop: Record<string, JsonValue> = {};
    loop["a"] = loop;
    expect(refusalCode(() => canonicalJson(loop))).toBe("limit-exceeded");
  });

  test("never asks an object how it wants to be written", () => {
    expect(refusalCode(() => canonicalJson({ a: 1, toJSON: () => ({ a: 2 }) } as unknown as JsonValue))).toBe(
      "bad-encoding",
    );
  });
});

describe("the reader of canonical JSON", () => {
  test("takes safe integers up to the last one", () => {
    expect(parseCanonicalJson("[9007199254740991,-9007199254740991,0]")).toEqual([
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      0,
    ]);
  });

  test.each([
    ["a duplicate member", '{"a":1,"a":2}'],
    ["a duplicate member of equal value", '{"a":1,"a":1}'],
    ["a duplicate member that an escape hides", '{"a":1,"\\u0061":2}'],
    ["a needless escape of a letter", '"\\u0061"'],
    ["a needless escape of a slash", '"\\/"'],
    ["a long escape where a short one exists", '"\\u000a"'],
    ["an escape in upper case", '"\\u001F"'],
    ["an escaped pair of surrogates", '"\\ud83d\\ude00"'],
    ["an escaped lone surrogate", '"\\ud800"'],
    ["an escaped lone surrogate in a name", '{"\\udc00":1}'],
    ["a member __proto__", '{"__proto__":{"admin":true}}'],
    ["a member __proto__ behind escapes", '{"\\u005f\\u005fproto\\u005f\\u005f":1}'],
    ["members out of order", '{"b":1,"a":2}'],
    ["members in the order of code points, not of code units", '{"\ufb33":1,"\ud83d\ude00":2}'],
    ["white space before", " 1"],
    ["white space behind", "1\n"],
    ["white space within", '{"a": 1}'],
    ["a byte order mark", "\uFEFF1"],
    ["minus zero", "-0"],
    ["a fraction", "0.5"],
    ["a fraction of nothing", "1.0"],
    ["an exponent", "1e3"],
    ["a leading zero", "01"],
    ["a plus sign", "+1"],
    ["an integer that is not safe", "9007199254740992"],
    ["an integer that rounds", "9007199254740993"],
    ["a number beyond all bounds", "1e999"],
    ["nothing", ""],
    ["two values", "1 2"],
    ["a trailing comma", "[1,]"],
    ["a comment", "1//"],
    ["single quotes", "'a'"],
    ["NaN", "NaN"],
    ["a raw control character", '"\n"'],
    ["a raw NUL behind", "1\0"],
    ["an unfinished object", '{"a":1'],
  ])("refuses %s", (_, text) => {
    expect(refusalCode(() => parseCanonicalJson(text))).toBe("bad-encoding");
    expect(refusalCode(() => parseCanonicalJson(Buffer.from(text)))).toBe("bad-encoding");
  });

  test("refuses bytes that are not UTF-8, where a lenient decoder would see the same text", () => {
    expect(refusalCode(() => parseCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22)))).toBe("bad-encoding");
    expect(refusalCode(() => parseCanonicalJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)))).toBe("bad-encoding");
    expect(refusalCode(() => parseCanonicalJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)))).toBe("bad-encoding");
  });

  test("refuses a raw lone surrogate in a string", () => {
    expect(refusalCode(() => parseCanonicalJson('"\ud800"'))).toBe("bad-encoding");
  });

  test("refuses every truncation", () => {
    for (const short of truncations(utf8(sample))) {
      expect(refusalCode(() => parseCanonicalJson(short))).toBe("bad-encoding");
    }
  });

  test("refuses a flipped bit, or reads exactly what that text says", () => {
    let read = 0;
    for (const flipped of bitFlips(utf8(sample))) {
      const value = accepted(() => parseCanonicalJson(flipped));
      if (value === undefined) continue;
      read += 1;
      expect(utf8(canonicalJson(value))).toEqual(flipped);
    }
    expect(read).toBeGreaterThan(0);
  });

  test("reads a text exactly where the naive form of what JSON.parse sees is that text", () => {
    const unit = fc.constantFrom(...'{}[]",:01-ab\\u e.'.split(""));
    const near = fc.tuple(json, fc.nat(), fc.string({ unit, maxLength: 2 })).map(([value, at, noise]) => {
      const text = naive(value);
      return `${text.slice(0, at % (text.length + 1))}${noise}${text.slice(at % (text.length + 1))}`;
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit, maxLength: 8 })), (text) => {
        expect(accepted(() => parseCanonicalJson(text)) !== undefined).toBe(isCanonical(text));
      }),
      { numRuns: 3000 },
    );
  });

  test("gives objects without a prototype, at every depth", () => {
    const value = parseCanonicalJson('{"a":[{"b":{}}],"constructor":1}') as Readonly<Record<string, JsonValue>>;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(value["toString"]).toBeUndefined();
    expect(value["constructor"]).toBe(1);
    const [inner] = value["a"] as readonly Readonly<Record<string, JsonValue>>[];
    expect([Object.getPrototypeOf(inner), Object.getPrototypeOf(inner?.["b"])]).toEqual([null, null]);
  });

  test("counts the bytes of the text, not its characters", () => {
    const text = '"€€"';
    expect(parseCanonicalJson(text, { maxBytes: 8 })).toBe("€€");
    expect(refusalCode(() => parseCanonicalJson(text, { maxBytes: 7 }))).toBe("limit-exceeded");
    expect(refusalCode(() => parseCanonicalJson(utf8(text), { maxBytes: 7 }))).toBe("limit-exceeded");
  });

  test("reads at most 1 MiB where nothing else is said", () => {
    const longest = `"${"a".repeat(1024 * 1024 - 2)}"`;
    expect(parseCanonicalJson(longest)).toHaveLength(1024 * 1024 - 2);
    expect(refusalCode(() => parseCanonicalJson(` ${longest}`))).toBe("limit-exceeded");
  });

  test("counts nesting: a bare value has none, an object in an array two", () => {
    expect(parseCanonicalJson("1", { maxDepth: 0 })).toBe(1);
    expect(parseCanonicalJson('[{"a":1}]', { maxDepth: 2 })).toEqual([{ a: 1 }]);
    expect(parseCanonicalJson('{"a":{"b":1}}', { maxDepth: 2 })).toEqual({ a: { b: 1 } });
    expect(parseCanonicalJson("[[1]]", { maxDepth: 2 })).toEqual([[1]]);
    expect(refusalCode(() => parseCanonicalJson("[]", { maxDepth: 0 }))).toBe("limit-exceeded");
    expect(refusalCode(() => parseCanonicalJson('[{"a":[]}]', { maxDepth: 2 }))).toBe("limit-exceeded");
  });

  test("writes whatever it reads with its own limits, and no deeper", () => {
    const deepest = `${"[".repeat(32)}${"]".repeat(32)}`;
    expect(canonicalJson(parseCanonicalJson(deepest))).toBe(deepest);
    expect(refusalCode(() => parseCanonicalJson(`[${deepest}]`))).toBe("limit-exceeded");
  });

  test.each(["[", '{"a":'])("survives a hundred thousand levels of %s", (opening) => {
    const closing = opening === "[" ? "]" : "}";
    const deep = `${opening.repeat(100_000)}1${closing.repeat(100_000)}`;
    expect(refusalCode(() => parseCanonicalJson(deep))).toBe("limit-exceeded");
    expect(refusal(() => parseCanonicalJson(opening.repeat(100_000)))).toBeInstanceOf(EncodingError);
  });

  test("repeats nothing of the text in its message", () => {
    for (const text of ['{"password":"hunter2"', '{"hunter2":1.5}', '{"hunter2": 1}', '{"hunter2":"\\ud800"}']) {
      expect(refusal(() => parseCanonicalJson(text)).message).not.toContain("hunter2");
    }
  });
});

function isCanonical(text: string): boolean {
  try {
    const value = JSON.parse(text) as JsonValue;
    return Buffer.from(text).toString() === text && isIntegral(value) && naive(value) === text;
  } catch {
    return false;
  }
}

function isIntegral(value: JsonValue): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  return value === null || typeof value !== "object" || Object.values(value).every((member) => isIntegral(member));
}

test("the text survives a round trip through bytes", () => {
  expect(fromUtf8(utf8(sample))).toBe(sample);
});
