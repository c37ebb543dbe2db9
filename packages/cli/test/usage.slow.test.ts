import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { blindbox, emptyDirectory, runProgram } from "./command.ts";

const bin = fileURLToPath(new URL("../bin/blindbox.js", import.meta.url));
const description = fileURLToPath(new URL("../package.json", import.meta.url));
const { version } = JSON.parse(readFileSync(description, "utf8")) as { readonly version: string };
const key = `bb_${"k".repeat(43)}`;

describe("usage", () => {
  test("--version prints the version of the package", async () => {
    expect(await blindbox(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  test.each([
    [["--help"], "blindbox init --image ./hello.tar"],
    [["request", "--help"], "--data-binary"],
    [["keys", "new", "--help"], "--out"],
  ])("%j prints help on stdout", async (args, text) => {
    const { code, stdout, stderr } = await blindbox(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(text);
  });

  test("without a command the help goes to stderr and the exit code is 2", async () => {
    const { code, stdout, stderr } = await blindbox([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: blindbox");
  });

  test.each([
    [["verfy"], "error: unknown command 'verfy'\nhint: did you mean verify?\n"],
    [["build", "--outdir", "x"], "error: unknown option '--outdir'\nhint: did you mean --out-dir?\n"],
    [["verify"], "error: missing required argument 'url'\nhint: `--help` lists what there is\n"],
    [["build", "--tee", "sgx"], "Allowed choices are simulated."],
    [["manifest", "check", "a", "b"], "too many arguments"],
    [["request", "GET"], "error: missing required argument 'url'"],
    [["verify", "https://127.0.0.1", "--accept", "everything"], "Allowed choices are release-unsigned."],
    [["run"], "error: missing required argument 'box'"],
    [["run", "x", "--listen", "nowhere"], "error: option '--listen <host:port>'"],
    [["run", "x", "--driver", "docker"], "Allowed choices are auto, rooted, unprivileged."],
  ])("%j is told in one line and a hint", async (args, text) => {
    const { code, stdout, stderr } = await blindbox(args, { cwd: emptyDirectory() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
  });

  test.each([
    [["request", "GET", "https://127.0.0.1/", "--key", key]],
    [["request", "GET", "https://127.0.0.1/", `--key=${key}`]],
    [["request", "GET", "https://127.0.0.1/", `--apikey=${key}`]],
    [["verify", `--key=${key}`]],
    [["keys", "new", key]],
    [["run", "x", "--driver", key]],
    [[key]],
  ])("a key on the command line is not repeated: %j", async (args) => {
    const { code, stdout, stderr } = await blindbox(args);
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain("kkkkkkkk");
    expect(stderr).toMatch(/^error: /);
  });

  test("--key is refused with the advice to make a new one", async () => {
    const { stderr } = await blindbox(["request", "GET", "https://127.0.0.1/", "--key", key]);
    expect(stderr).toMatch(/^error: --key: expected --key-file FILE, .*\nhint: treat that key as known to others/);
  });

  test("an old Node is told which one is needed, in one line and a hint", async () => {
    const old =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"22.18.0"}})';
    const { code, stdout, stderr } = await runProgram(process.execPath, ["--import", old, bin, "--version"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: Node: expected 22\.19 or later, got 22\.18\.0\nhint: .+\n$/);
  });

  test("writes no colour where there is no terminal", async () => {
    const plain = await blindbox(["verfy"]);
    expect(plain.stderr).not.toContain("\u001b");
  });
});
