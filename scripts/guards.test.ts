import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { dependencyProblems, simulatorProblems, sizeProblems, unnamedProblems } from "./guards/bundle.ts";
import { checkEntries } from "./guards/entries.ts";
import { checkImports } from "./guards/imports.ts";
import { checkLength } from "./guards/length.ts";
import { checkNames } from "./guards/names.ts";
import type { Problem } from "./guards/sources.ts";

const made: string[] = [];

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "blindbox-guards-"));
  made.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  execFileSync("git", ["init", "-q"], { cwd: root });
  return root;
}

function messages(problems: readonly Problem[]): string {
  return problems.map((problem) => `${problem.file}: ${problem.message}`).join("\n");
}

afterEach(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
});

describe("the import guard", () => {
  it.each([
    ["an import that runs up", 'import "@blindbox/client";', "encoding/src/a.ts", "encoding imports client"],
    [
      "a type import that runs up",
      'import type { A } from "@blindbox/client";',
      "release/src/a.ts",
      "release imports client",
    ],
    [
      "an import type expression",
      'export type A = import("@blindbox/enclave").A;',
      "cli/src/a.ts",
      "cli imports enclave",
    ],
    [
      "a sideways import",
      'export * from "@blindbox/manifest";',
      "attestation/src/a.ts",
      "attestation imports manifest",
    ],
    ["a package without a floor", 'import "@blindbox/encoding";', "cloud/src/a.ts", "no floor"],
    ["node in a web package", 'import "node:fs";', "manifest/src/a.ts", "every runtime"],
    ["a path into another package", 'import "../../client/src/a.ts";', "enclave/src/a.ts", "leaves the package"],
    ["a computed import", "await import(String(1));", "cli/src/a.ts", "computed import"],
  ])("refuses %s", (_name, text, file, expected) => {
    expect(messages(checkImports(tree({ [`packages/${file}`]: text })))).toContain(expected);
  });

  it("refuses a room of the enclave that reaches its neighbour", () => {
    const files = {
      "packages/enclave/src/gateway/a.ts": 'import "../sandbox/b.ts";',
      "packages/enclave/src/sandbox/b.ts": "export const b = 1;",
    };
    expect(messages(checkImports(tree(files)))).toContain("room gateway imports room sandbox");
  });

  it("refuses the simulator's device room reaching a production room", () => {
    const files = { "packages/enclave/src/simulated/device/a.ts": 'import "../../gateway/b.ts";' };
    expect(messages(checkImports(tree(files)))).toContain("room simulated imports room gateway");
  });

  it.each([
    ["a Verifier that reaches the endorsers", "attestation/src/steps/a.ts", 'import "../endorsers/b.ts";'],
    [
      "a TEE's folder that takes a type of theirs",
      "attestation/src/tdx/a.ts",
      'import type { B } from "../endorsers/b.ts";',
    ],
    ["the main entry that re-exports them", "attestation/src/index.ts", 'export * from "./endorsers/index.ts";'],
    ["a client that reaches their entry", "client/src/a.ts", 'import "@blindbox/attestation/endorsers";'],
    ["the package that reaches its own entry", "attestation/src/a.ts", 'import "@blindbox/attestation/endorsers";'],
  ])("refuses %s", (_name, file, text) => {
    const files = { [`packages/${file}`]: text, "packages/attestation/src/endorsers/b.ts": "export type B = 1;" };
    expect(messages(checkImports(tree(files)))).toMatch(/in what verifies|imports the endorsers/);
  });

  it("lets the endorsers reach the parsers, and box and command reach the endorsers", () => {
    const files = {
      "packages/attestation/src/endorsers/a.ts": 'import "./b.ts"; import "../x509/c.ts";',
      "packages/attestation/src/endorsers/b.ts": "export const b = 1;",
      "packages/attestation/src/x509/c.ts": "export const c = 1;",
      "packages/cli/src/a.ts": 'import "@blindbox/attestation/endorsers";',
      "packages/enclave/src/attester/a.ts": 'import "@blindbox/attestation/endorsers";',
    };
    expect(checkImports(tree(files))).toEqual([]);
  });

  it("refuses a circle, of types too, and names its files", () => {
    const files = {
      "packages/encoding/src/a.ts": 'import type { B } from "./b.ts"; export type A = B;',
      "packages/encoding/src/b.ts": 'import type { A } from "./a.ts"; export type B = A;',
    };
    expect(messages(checkImports(tree(files)))).toContain("import circle: packages/encoding/src/a.ts -> ");
  });

  it("refuses a dependency that package.json names and the table does not", () => {
    const files = {
      "packages/encoding/package.json": '{"dependencies":{"@blindbox/cli":"1"}}',
      "packages/encoding/src/a.ts": "export const a = 1;",
      "packages/release/package.json": '{"dependencies":{"@blindbox/client":"1"}}',
    };
    expect(messages(checkImports(tree(files)))).toContain("release imports client");
  });

  it("accepts a downward import, and refuses an empty tree rather than pass it", () => {
    expect(checkImports(tree({ "packages/release/src/a.ts": 'import "@blindbox/encoding";' }))).toEqual([]);
    expect(checkImports(tree({}))).not.toEqual([]);
  });
});

describe("the entries guard", () => {
  const description = (exports: unknown): string => JSON.stringify({ version: "1.0.0", exports });
  const base = { "package.json": '{"version":"1.0.0"}' };

  it.each([
    ["no exports map", description(undefined), "no `exports` map"],
    ["a pattern", description({ "./*": { "blindbox-source": "./src/index.ts" } }), "is a pattern"],
    ["a missing file", description({ ".": { "blindbox-source": "./src/none.ts" } }), "no file ./src/none.ts"],
    [
      "another version",
      '{"version":"2.0.0","exports":{".":{"blindbox-source":"./src/index.ts"}}}',
      "all packages carry 1.0.0",
    ],
  ])("refuses %s", (_name, text, expected) => {
    const files = { ...base, "packages/a/package.json": text, "packages/a/src/index.ts": "export {};" };
    expect(messages(checkEntries(tree(files)))).toContain(expected);
  });

  it("refuses an index file that holds code", () => {
    const text = description({ ".": { "blindbox-source": "./src/index.ts" } });
    const files = { ...base, "packages/a/package.json": text, "packages/a/src/index.ts": "export const a = 1;" };
    expect(messages(checkEntries(tree(files)))).toContain("only re-exports");
  });
});

describe("the length guard", () => {
  it("refuses a long function and a long file", () => {
    const body = "  a();\n".repeat(70);
    const text = `declare function a(): void;\nexport function long(): void {\n${body}}\n`;
    const files = { "packages/a/src/a.ts": text, "packages/a/src/b.ts": "export const b = 1;\n".repeat(401) };
    const found = messages(checkLength(tree(files)));
    expect(found).toContain("function long has 72 lines");
    expect(found).toContain("401 lines");
  });

  it("refuses a house in which too many functions are long, though none is too long", () => {
    const text = `declare function a(): void;\nexport function long(): void {\n${"  a();\n".repeat(45)}}\n`;
    expect(messages(checkLength(tree({ "packages/a/src/a.ts": text })))).toContain("only 0 % of functions");
  });
});

describe("the names guard", () => {
  it.each([
    ["an empty file name", "packages/a/src/utils.ts", "export const a = 1;", "file name says nothing"],
    ["an empty word", "packages/a/src/a.ts", "export function handleRequest(): void {}", "handleRequest says nothing"],
    ["a word that the glossary replaces", "packages/a/src/a.ts", "export const goldenValues = 1;", "ReferenceValues"],
  ])("refuses %s", (_name, file, text, expected) => {
    expect(messages(checkNames(tree({ [file]: text })))).toContain(expected);
  });

  it.skipIf(process.getuid?.() !== 0)("reads a checkout that is another user's (skipped without root)", () => {
    const root = tree({ "packages/a/src/a.ts": "export const a = 1;" });
    execFileSync("chown", ["-R", "65534:65534", root]);
    expect(checkNames(root)).toEqual([]);
  });

  it("refuses a path of a machine in a document", () => {
    const files = { "packages/a/src/a.ts": "export const a = 1;", "README.md": "see /home/someone/x" };
    expect(messages(checkNames(tree(files)))).toContain("a path of a machine");
  });
});

describe("the bundle guard", () => {
  const file = (code: string, modules: readonly string[] = []) => ({ name: "main.mjs", code, modules });

  it("refuses the simulator by module and by text", () => {
    expect(simulatorProblems([file("", ["packages/enclave/src/simulated/device/main.ts"])])).toHaveLength(1);
    expect(simulatorProblems([file('"blindbox-sim/1"')])).toHaveLength(1);
    expect(simulatorProblems([file("clean", ["packages/enclave/src/main.ts"])])).toEqual([]);
  });

  it("refuses a dependency that the list does not name, and a name that is not used", () => {
    const modules = ["node_modules/left-pad/index.js", "node_modules/@peculiar/x509/build/x.js"];
    const found = messages(dependencyProblems([file("", modules)], ["@peculiar/x509", "undici"]));
    expect(found).toContain("holds left-pad");
    expect(found).toContain("does not hold undici");
    expect(found).not.toContain("peculiar");
  });

  it("refuses a dependency that SECURITY.md does not name", () => {
    expect(unnamedProblems(["undici", "asn1js"], "measured: `undici`")).toHaveLength(1);
  });

  it("refuses a bundle over its budget", () => {
    expect(sizeProblems([file("x".repeat(100))], { bytes: 99, gzip: 1000 })).toHaveLength(1);
    expect(sizeProblems([file("x".repeat(100))], { bytes: 100, gzip: 1000 })).toEqual([]);
  });
});
