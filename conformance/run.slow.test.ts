/** `conformance/run` as an outsider uses it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { judges } from "./tees/index.ts";
import { skipLine, vectorsFolder } from "./vectors.ts";

const program = fileURLToPath(new URL("run", import.meta.url));
const folder = vectorsFolder();
const cases = join(folder ?? "", "cases");
const scratch = mkdtempSync(join(tmpdir(), "blindbox-run-"));
if (folder === null) console.log(skipLine("conformance/run"));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...words: readonly string[]): Outcome {
  return spawnSync(program, words, { encoding: "utf8", maxBuffer: 1 << 26 });
}

function filesOf(tee: string): string[] {
  return readdirSync(join(cases, tee)).map((file) => join(cases, tee, file));
}

describe.skipIf(folder === null)("conformance/run", () => {
  test("judges every case as its file expects, one line of JSON each", () => {
    const files = Object.keys(judges).flatMap(filesOf);
    const { status, stdout, stderr } = run(...files);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(files.length);
    expect(files.length).toBeGreaterThan(150);
    for (const line of lines)
      expect(Object.keys(JSON.parse(line) as object)).toEqual(["claims", "code", "id", "verdict"]);
  });

  test("ends with 1 where a case expects something else, and with 0 where it was only to print", () => {
    const [file = ""] = filesOf("sev-snp");
    const real = JSON.parse(readFileSync(file, "utf8")) as { expect: object; evidence: object; endorsements: object };
    const absolute = (value: unknown): unknown =>
      typeof value === "string" && value.startsWith("../") ? join(cases, "sev-snp", value) : value;
    const text = JSON.stringify({ ...real, expect: { verdict: "rejected", code: "revoked" } }, (_key, value: unknown) =>
      absolute(value),
    );
    const altered = join(scratch, "altered.json");
    writeFileSync(altered, text);
    expect(run(altered)).toMatchObject({ status: 1, stderr: expect.stringContaining("expected rejected") as string });
    expect(run("--print", altered).status).toBe(0);
    expect(JSON.parse(run("--print", altered).stdout)).toMatchObject({ verdict: "accepted", code: null });
  });

  test.each([
    ["no file", []],
    ["an option that nobody knows", ["--all"]],
    ["a file that is not there", [join(scratch, "none.json")]],
    ["a folder", [scratch]],
    ["no JSON", [program]],
    ["a case of measurements", [join(cases, "measure-eif/001-two-ramdisks-x86.json")]],
  ])("is told %s in one line and a hint, with code 2 and no stack", (_what, words) => {
    const { status, stdout, stderr } = run(...words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: [^\n]+\nhint: {2}[^\n]+\n$/);
  });
});
