import { ManifestError } from "@blindbox/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseManifestSource } from "../src/source/parse.ts";
import { readYaml } from "../src/source/yaml.ts";
import { FULL_YAML } from "./documents.ts";

function problemAt(text: string): readonly string[] {
  return readYaml(text).problems.map(({ path, actual }) => `${path}: ${actual}`);
}

describe("the YAML that is accepted", () => {
  it.each([
    ["an anchor", "a: &x 1", ["a: an anchor"]],
    ["an anchor on a map", "&x\na: 1", ["document: an anchor"]],
    ["an alias", "a: &x 1\nb: *x", ["a: an anchor", "b: an alias"]],
    ["an alias of nothing", "a: *x", ["a: an alias"]],
    ["an alias as a name", "a: &x b\n*x : 1", ["a: an anchor", "document: another name"]],
    ["a merge key", "<<: { a: 1 }", ["<<: a merge key"]],
    ["a merge of an alias", "a: &x { b: 1 }\nc: { <<: *x }", ["a: an anchor", "c.<<: a merge key"]],
    ["a core tag", "a: !!str 1", ["a: a tag"]],
    ["a binary tag", "a: !!binary aGk=", ["a: a tag"]],
    ["an unknown tag", "a: !x 1", ["line 1, column 4: tag resolve failed", "a: a tag"]],
    ["a tag on a name", "!!str a: 1", ["a: an anchor or a tag"]],
    ["a number as a name", "1: 2", ["document: another name"]],
    ["null as a name", "~: 2", ["document: another name"]],
    ["a list as a name", "? [a]\n: 1", ["document: another name"]],
    ["a map as a name", "{ { a: 1 }: 1 }", ["document: another name"]],
    ["a name twice", "a: 1\na: 2", ["a: a repeated member"]],
    ["a name twice in flow style", "{ a: 1, 'a': 2 }", ["a: a repeated member"]],
    ["a name twice within a list", "- { b: 1, b: 1 }", ["[0].b: a repeated member"]],
    ["a directive", "%YAML 1.1\n---\na: yes", ["document: a line that begins with %"]],
    ["a tag directive", "%TAG ! tag:x,2000:\n---\na: 1", ["document: a line that begins with %"]],
    ["two documents", "a: 1\n---\nb: 1", ["document: several"]],
    ["a lone surrogate", 'a: "\\ud800"', ["a: a lone surrogate"]],
    ["a lone surrogate in a name", '"\\ud800": 1', ["(a name of 1 characters): an unsafe name"]],
    ["__proto__", "__proto__: 1", ["__proto__: an unsafe name"]],
    ["a leading zero", "a: 010", ["a: another form"]],
    ["a sign", "a: +1", ["a: another form"]],
    ["a tab as indent", "a:\n\t- 1", ["line 2, column 1: tab as indent"]],
    ["text that does not end", 'a: "b', ["line 1, column 6: missing char"]],
  ])("is without %s", (_, text, expected) => {
    expect(problemAt(text)).toEqual(expected);
  });

  it("reads the words of YAML 1.1 as strings", () => {
    expect(readYaml("[yes, no, on, off, y, n, 1_000, 12:30:45, 2001-01-01]")).toEqual({
      value: ["yes", "no", "on", "off", "y", "n", "1_000", "12:30:45", "2001-01-01"],
      problems: [],
    });
  });

  it("reads an empty text as null", () => {
    expect(readYaml("")).toEqual({ value: null, problems: [] });
    expect(readYaml("# nothing\n")).toEqual({ value: null, problems: [] });
  });

  it("reads JSON exactly as JSON.parse does", () => {
    const number = fc
      .oneof(
        fc.maxSafeInteger(),
        fc.integer({ min: -99_999, max: 99_999 }).map((n) => n / 1000),
      )
      .filter((n) => !Object.is(n, -0));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false),
        number,
        fc.string({ unit: "grapheme" }),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(
          fc.string({ maxLength: 8 }).filter((name) => name !== "__proto__" && name !== "<<"),
          tie("value"),
          {
            maxKeys: 4,
            noNullPrototype: true,
          },
        ),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (json, indent) => {
        expect(readYaml(JSON.stringify(json, null, indent))).toEqual({ value: json, problems: [] });
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses a billion laughs without counting them", () => {
    const lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"];
    for (let i = 1; i <= 40; i++)
      lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(", ")}]`);
    const { value, problems } = readYaml(lines.join("\n"));
    expect(problems.filter((problem) => problem.actual === "an alias")).toHaveLength(360);
    expect(JSON.stringify(value).length).toBeLessThan(10_000);
  });

  it.each([
    "[",
    "{",
    "- ",
    "? ",
    "{a: ",
    "[a, ",
    ": ",
    "a: ",
    "&a ",
    "!a ",
    "*a ",
    '"',
    "'",
    "|\n",
    "- a\n ",
    "%",
    "---\n",
    "#",
    "\t",
    "\n",
    ",",
    "{? ",
  ])("refuses a document of nothing but %j", (piece) => {
    const text = piece.repeat(Math.floor(100_000 / piece.length));
    expect(() => parseManifestSource(text, { format: "yaml" })).toThrow(ManifestError);
  });

  it("refuses what is nested deeper than any manifest", () => {
    expect(problemAt(`${"[".repeat(17)}${"]".repeat(17)}`)).toEqual(["document: more"]);
    expect(problemAt(`${"[".repeat(16)}${"]".repeat(16)}`)).toEqual([]);
    expect(problemAt(Array.from({ length: 20 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"))).toEqual([
      "document: more",
    ]);
  });

  it("refuses a text that is too long, by bytes", () => {
    expect(problemAt(`# ${"x".repeat(2_097_150)}`)).toEqual([]);
    expect(problemAt(`# ${"x".repeat(2_097_151)}`)).toEqual(["document: more"]);
    expect(problemAt(`# ${"é".repeat(1_048_576)}`)).toEqual(["document: more"]);
  });

  it("throws nothing but ManifestError, whatever the text", () => {
    const piece = fc.constantFrom(
      "a",
      "b: ",
      "- ",
      "\n",
      "  ",
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      "?",
      "&x ",
      "*x",
      "!!str ",
      "!<",
      "|",
      ">",
      "'",
      '"',
      "#",
      "%",
      "---",
      "...",
      "@",
      "`",
      "\t",
      "\\",
      "\u0000",
      "\ufeff",
      "\ud800",
      "é",
      "1",
      "~",
    );
    const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(fc.property(fc.oneof(soup, fc.string({ unit: "binary" })), acceptsOrReports), { numRuns: 3000 });
  });

  it("throws nothing but ManifestError for a damaged manifest", () => {
    const damage = fc.record({
      at: fc.nat(FULL_YAML.length),
      cut: fc.nat(6),
      put: fc.string({ unit: "binary", maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        acceptsOrReports(
          damages.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), FULL_YAML),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("throws nothing but ManifestError for a manifest cut off anywhere", () => {
    for (let length = 0; length < FULL_YAML.length; length++) acceptsOrReports(FULL_YAML.slice(0, length));
  });
});

function acceptsOrReports(text: string): void {
  for (const format of ["yaml", "json"] as const) {
    try {
      expect(parseManifestSource(text, { format }).manifest.blindbox).toBe(1);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      expect(error.problems.length).toBeGreaterThan(0);
    }
  }
}
