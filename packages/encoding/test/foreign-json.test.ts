/** JSON of others: what is read is what JSON.parse reads, and whatever is ambiguous is refused. */
import { EncodingError, parseForeignJson, type JsonValue } from "@blindbox/encoding";
import fc from "fast-check";
import { expect, test } from "vitest";

function refusal(text: string, limits?: { maxLength?: number; maxDepth?: number }): string {
  try {
    parseForeignJson(text, "text", limits);
    return "accepted";
  } catch (error) {
    if (error instanceof EncodingError) return error.code;
    throw error;
  }
}

function withPrototype(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

const spaces = fc.stringMatching(/^[ \n\r\t]{0,3}$/);
const name = fc.string({ unit: "grapheme", maxLength: 6 }).filter((text) => text !== "__proto__");
const strings = fc.string({ unit: "grapheme", maxLength: 8 });

/** Texts of one value, with any white space and either way of writing a string. */
const texts: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const escaped = strings.map((text) =>
    text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
  const literal = fc.oneof(
    strings.map((text) => JSON.stringify(text)),
    escaped.map((text) => `"${text}"`),
  );
  const list = fc.array(fc.tuple(spaces, tie("value"), spaces), { maxLength: 4 });
  const members = fc.uniqueArray(fc.tuple(name, spaces, spaces, tie("value")), {
    maxLength: 4,
    selector: ([key]) => key,
  });
  return {
    value: fc.oneof(
      { maxDepth: 5 },
      literal.filter((text) => !/\\ud[89a-f]/i.test(text)),
      fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }).map(String),
      fc.constantFrom("true", "false", "null"),
      list.map((items) => `[${items.map((parts) => parts.join("")).join(",")}]`),
      members.map(
        (each) => `{${each.map(([key, a, b, value]) => `${a}${JSON.stringify(key)}${b}:${a}${value}${b}`).join(",")}}`,
      ),
    ),
  };
}).value;

test("whatever is written in JSON is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(texts, spaces, (text, space) => {
      const { value } = parseForeignJson(`${space}${text}${space}`);
      expect(withPrototype(value)).toEqual(JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

test("whatever JSON.parse refuses is refused, and what both accept has one meaning", () => {
  const broken = fc.tuple(
    texts,
    fc.nat(),
    fc.constantFrom("", '"', "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\\", " ", "\0"),
  );
  fc.assert(
    fc.property(broken, ([text, place, put]) => {
      const at = place % (text.length + 1);
      const changed = text.slice(0, at) + put + text.slice(at + 1);
      const ours = refusal(changed);
      let theirs: unknown;
      try {
        theirs = JSON.parse(changed);
      } catch {
        expect(ours).not.toBe("accepted");
        return;
      }
      if (ours === "accepted") expect(withPrototype(parseForeignJson(changed).value)).toEqual(theirs);
    }),
    { numRuns: 500 },
  );
});

test("any text at all ends in a value or in an EncodingError", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => typeof refusal(text) === "string"));
});

test("the exact text of a member is given, never another writing of it", () => {
  fc.assert(
    fc.property(texts, texts, spaces, (first, second, space) => {
      const text = `{${space}"a"${space}:${space}${first}${space},"b":${second}}`;
      const { textOf } = parseForeignJson(text);
      expect([textOf("a"), textOf("b")]).toEqual([first, second]);
    }),
    { numRuns: 200 },
  );
});

test("only members of the outermost object have a text", () => {
  const { textOf } = parseForeignJson('{"a":{"b":1},"toString":2}');
  expect(textOf("a")).toBe('{"b":1}');
  expect(textOf("toString")).toBe("2");
  for (const absent of ["b", "__proto__", "constructor"]) expect(() => textOf(absent)).toThrow(EncodingError);
});

test("objects have no prototype", () => {
  const { value } = parseForeignJson('{"a":{}}');
  expect((value as Record<string, JsonValue>)["constructor"]).toBeUndefined();
});

test.each([
  ["a member twice", '{"a":1,"a":1}', "bad-encoding"],
  ["a member twice, once with an escape", '{"a":1,"\\u0061":1}', "bad-encoding"],
  ["a member twice, deeper", '{"b":[{"a":1,"a":2}]}', "bad-encoding"],
  ["a member __proto__", '{"__proto__":{}}', "bad-encoding"],
  ["an escaped member __proto__", '{"__pr\\u006fto__":{}}', "bad-encoding"],
  ["a fraction", "1.0", "bad-encoding"],
  ["an exponent", "1e2", "bad-encoding"],
  ["a leading zero", "01", "bad-encoding"],
  ["minus zero", "-0", "bad-encoding"],
  ["a plus sign", "+1", "bad-encoding"],
  ["a number that is not safe", "9007199254740993", "bad-encoding"],
  ["NaN", "NaN", "bad-encoding"],
  ["a comma behind the last item", "[1,]", "bad-encoding"],
  ["a comma behind the last member", '{"a":1,}', "bad-encoding"],
  ["a comment", "/**/1", "bad-encoding"],
  ["single quotes", "{'a':1}", "bad-encoding"],
  ["a control character in a string", '"a\nb"', "bad-encoding"],
  ["an escape that JSON has not", '"\\x61"', "bad-encoding"],
  ["a lone surrogate", '"\ud800"', "bad-encoding"],
  ["an escaped lone surrogate", '"\\ud800"', "bad-encoding"],
  ["a second value", "{}{}", "trailing-bytes"],
  ["a byte order mark", "\ufeff{}", "bad-encoding"],
  ["a no-break space", "\u00a01", "bad-encoding"],
  ["nothing", "", "truncated"],
  ["an unfinished string", '"a', "truncated"],
  ["an unfinished escape", '"a\\', "truncated"],
  ["an unfinished object", '{"a":1', "truncated"],
])("%s is refused", (_what, text, code) => {
  expect(refusal(text)).toBe(code);
});

test("depth and length are bounded", () => {
  expect(refusal("[[1]]", { maxDepth: 2 })).toBe("accepted");
  expect(refusal("[[[1]]]", { maxDepth: 2 })).toBe("limit-exceeded");
  expect(refusal("[".repeat(100_000))).toBe("limit-exceeded");
  expect(refusal("1234", { maxLength: 4 })).toBe("accepted");
  expect(refusal("12345", { maxLength: 4 })).toBe("limit-exceeded");
});

test("errors never quote the text", () => {
  try {
    parseForeignJson('{"secret":!}', "text");
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain("secret");
  }
});
