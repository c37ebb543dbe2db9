import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
    [["--help"], "blindbox init --name hello --image hello.tar --port 80 --new-key key.txt"],
    [["request", "--help"], "--data-binary"],
    [["keys", "new", "--help"], "--out"],
  ])("%j prints help on stdout", async (args, text) => {
    const { code, stdout, stderr } = await blindbox(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(text);
  });

  test.each([
    [["help"], ["--help"]],
    [
      ["help", "keys", "new"],
      ["keys", "new", "--help"],
    ],
    [
      ["help", "request"],
      ["request", "--help"],
    ],
  ])("%j prints what %j prints", async (args, same) => {
    const { code, stdout, stderr } = await blindbox(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe((await blindbox(same)).stdout);
  });

  test("the help shows the first box as the README does", async () => {
    const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
    const { stdout } = await blindbox(["--help"]);
    const shown = stdout.split("\n").filter((line) => line.startsWith("  blindbox "));
    expect(shown).toHaveLength(5);
    for (const line of shown) expect(readme.split("\n")).toContain(line.trim());
  });

  test("without a command the help goes to stderr and the exit code is 2", async () => {
    const { code, stdout, stderr } = await blindbox([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: blindbox");
  });

  test.each([
    [["verfy"], "error: unknown command 'verfy'\nhint: did you mean verify?\n"],
    [["build", "--outdir", "x"], "error: unknown option '--outdir'\nhint: did you mean --out-dir?\n"],
    [["verify"], "error: what to verify: expected a URL or --bundle FILE, got neither\nhint: "],
    [["build", "--tee", "sgx"], "Allowed choices are simulated."],
    [["manifest", "check", "a", "b"], "too many arguments"],
    [["request", "GET"], "error: missing required argument 'url'"],
    [
      ["verify", "https://127.0.0.1", "--accept", "everything"],
      "--accept: expected release-unsigned or debug, got another word",
    ],
    [["run"], "error: missing required argument 'box'"],
    [["run", "x", "--listen", "nowhere"], "error: option '--listen <host:port>'"],
    [["help", "verfy"], "error: help: expected the name of a command, got something else"],
    [["keys", "new", "--out", "a", "--out", "b"], "error: --out: expected one value, got several"],
    [["verify", "https://127.0.0.1", "--simulated", "--simulated=x"], "error: --simulated: expected one value"],
    [["run", "x", "--driver", "docker"], "Allowed choices are auto, rooted, unprivileged."],
    [["run", "x", "--resolver", "dns.example"], "error: --resolver: expected 1 to 4 of ADDRESS or ADDRESS:PORT"],
    [["run", "x", "--resolver", "192.0.2.53,"], "error: --resolver: expected 1 to 4 of ADDRESS or ADDRESS:PORT"],
    [["run", "x", "--resolver", "192.0.2.53:0"], "error: --resolver: expected 1 to 4 of ADDRESS or ADDRESS:PORT"],
    [["run", "x", "--resolver", "2001:db8::53"], "error: --resolver: expected 1 to 4 of ADDRESS or ADDRESS:PORT"],
    [
      ["run", "x", "--resolver", "1.1.1.1,1.1.1.2,1.1.1.3", "--resolver", "1.1.1.4,[2001:db8::53]:5353"],
      "error: --resolver: expected 1 to 4 of ADDRESS or ADDRESS:PORT, with commas between them, got 5\n",
    ],
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

  test("a checkout that was not built says in one line what to run", async () => {
    const checkout = emptyDirectory();
    mkdirSync(join(checkout, "bin"));
    copyFileSync(bin, join(checkout, "bin", "blindbox.js"));
    writeFileSync(join(checkout, "package.json"), '{ "type": "module" }');
    const { code, stdout, stderr } = await runProgram(process.execPath, [join(checkout, "bin", "blindbox.js"), "run"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: blindbox: .+\nhint: .*`\.\/demo`.*`npm run build`.*\n$/);
  });

  test("writes no colour where there is no terminal", async () => {
    const plain = await blindbox(["verfy"]);
    expect(plain.stderr).not.toContain("\u001b");
  });
});
