/** Runs what README.md tells a newcomer to type, as it stands there, in an empty folder with an empty home. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocks } from "./check-docs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const blocks = codeBlocks("README.md", readFileSync(join(root, "README.md"), "utf8"))
  .filter((block) => block.language === "sh")
  .map((block) => block.code.trim().split("\n"));
const folder = mkdtempSync(join(tmpdir(), "blindbox-readme-"));
let box: ChildProcess | null = null;

function environment(): NodeJS.ProcessEnv {
  const { XDG_STATE_HOME: _state, XDG_CACHE_HOME: _cache, BLINDBOX_API_KEY: _key, ...rest } = process.env;
  // Without the pinned Node in front: a newcomer has the machine's own.
  const path = (process.env.PATH ?? "").split(":").filter((entry) => !entry.includes("node_modules"));
  return { ...rest, HOME: folder, PATH: [join(folder, "bin"), ...path].join(":") };
}

function type(line: string): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", line], {
    cwd: folder,
    env: environment(),
    encoding: "utf8",
  });
  return { status, output: `${stdout}${stderr}` };
}

beforeAll(() => {
  execFileSync("tsc", ["-b"], { cwd: root });
  execFileSync("node", ["scripts/bundle-enclave.ts"], { cwd: root });
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/blindbox"), `#!/bin/sh\nexec ${aliased()} "$@"\n`);
  chmodSync(join(folder, "bin/blindbox"), 0o755);
  symlinkSync(join(root, "examples"), join(folder, "examples"));
});

/** What README's alias stands for, as typed at the top of the checkout; each line below runs in a shell of its own. */
function aliased(): string {
  const command = /^alias blindbox="(.+)"$/.exec(blocks[2]?.[0] ?? "")?.[1];
  if (command === undefined) throw new Error("README does not say what blindbox is");
  return command.replaceAll("$PWD/", root);
}

afterAll(async () => {
  if (box !== null && box.exitCode === null) {
    const ended = new Promise((resolve) => box?.once("exit", resolve));
    box.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

function startInBackground(line: string): Promise<string> {
  const child = spawn("sh", ["-c", `exec ${line}`], {
    cwd: folder,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  box = child;
  return new Promise((resolve, reject) => {
    let text = "";
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      if (/^root\s/m.test(text)) resolve(text);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}

test("README has exactly two set-up commands, and then the blocks of the first box", () => {
  expect(blocks.slice(0, 2)).toEqual([["./demo"], ["./test"]]);
  expect(blocks).toHaveLength(5);
});

test("what README says to type leads to a verified answer of the app", { timeout: 120_000 }, async () => {
  const lines = blocks.slice(3).flat();
  const run = lines.findIndex((line) => line.startsWith("blindbox run"));
  for (const line of lines.slice(0, run)) expect(type(line), line).toMatchObject({ status: 0 });
  expect(await startInBackground(lines[run] ?? "")).toContain("https://127.0.0.1:8443");
  const [verified, answered] = lines.slice(run + 1).map(type);
  expect(verified).toMatchObject({ status: 0 });
  expect(verified?.output).toContain("accepted with the warnings above");
  expect(answered).toMatchObject({ status: 0 });
  expect(answered?.output).toContain("Hello from inside the box.");
});
