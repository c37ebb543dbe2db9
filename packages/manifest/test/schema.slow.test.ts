import { ManifestError } from "@blindbox/manifest";
import { manifestSchema, parseManifestSource } from "@blindbox/manifest/source";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { anySource, FULL_YAML, SMALL_YAML } from "./documents.ts";

const validate = new Ajv({ strict: true, strictTypes: false, allErrors: true }).compile(manifestSchema);

/** What looks across members, which a schema cannot say. */
const ACROSS = new Set([
  "an unknown id",
  "a repeated one",
  "a rule that disagrees",
  "a kind that is there already",
  "a key of another",
  "a URL that none allows",
  "a listener",
  "no listener",
  "coarse metrics",
  "health of the application",
  "a port that is taken",
  "values that are no methods",
]);

/** True where the parser finds nothing wrong with the structure. */
function parserAccepts(source: unknown): boolean {
  try {
    parseManifestSource(JSON.stringify(source), { format: "json" });
    return true;
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.problems.every((problem) => ACROSS.has(problem.actual));
  }
}

const junk = fc.constantFrom<unknown>(
  null,
  true,
  0,
  1,
  -1,
  0.5,
  0.25,
  65_536,
  2 ** 40,
  "",
  "any",
  "GET",
  "anonymous",
  "alice",
  "/a",
  "/a/**",
  "/a/../b",
  "/.well-known/blindbox/x",
  "1MiB",
  "1MB",
  "1000:1000",
  "verified",
  "passthrough",
  "none",
  "api.example.com",
  `sha256:${"a".repeat(64)}`,
  [],
  ["GET"],
  ["any"],
  ["any", "GET"],
  ["GET", "GET"],
  ["alice"],
  [443],
  [443, 443],
  [""],
  [null],
  {},
  { path: "/a" },
  { memory: "1MiB" },
  { A: "b" },
  { "": "b" },
);

/** Replaces, removes or adds one member or item somewhere in a copy of the document. */
function damaged(source: unknown, steps: readonly number[], put: unknown, kind: "replace" | "remove" | "add"): unknown {
  const root: Record<string, unknown> = { document: structuredClone(source) };
  let holder: Record<string, unknown> = root;
  let name = "document";
  for (const step of steps) {
    const value = holder[name];
    const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
    const next = names[step % Math.max(names.length, 1)];
    if (next === undefined) break;
    holder = value as Record<string, unknown>;
    name = next;
  }
  if (kind === "remove" && !Array.isArray(holder)) delete holder[name];
  else if (kind === "add" && !Array.isArray(holder)) holder[`${name}x`] = put;
  else holder[name] = put;
  return root.document;
}

describe("the JSON Schema for editors", () => {
  it("is the file blindbox.schema.json (written anew by vitest -u)", async () => {
    await expect(`${JSON.stringify(manifestSchema, null, 2)}\n`).toMatchFileSnapshot("../blindbox.schema.json");
  });

  it("accepts the documents that the parser accepts", () => {
    for (const text of [FULL_YAML, SMALL_YAML])
      expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    fc.assert(
      fc.property(anySource, (source) => {
        expect(validate(source), JSON.stringify(validate.errors)).toBe(true);
        expect(parserAccepts(source)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with the parser on documents that are damaged in one place", () => {
    const steps = fc.array(fc.nat(20), { minLength: 1, maxLength: 7 });
    const kind = fc.constantFrom("replace" as const, "remove" as const, "add" as const);
    let refused = 0;
    fc.assert(
      fc.property(anySource, steps, junk, kind, (source, where, put, how) => {
        const document = damaged(source, where, put, how);
        fc.pre(document !== undefined);
        const accepted = parserAccepts(document);
        if (!accepted) refused += 1;
        expect(validate(document), JSON.stringify([document, validate.errors])).toBe(accepted);
      }),
      { numRuns: 5000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it("agrees with the parser that what is not a manifest is none", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(validate(value)).toBe(false);
        expect(parserAccepts(value)).toBe(false);
      }),
    );
  });
});
