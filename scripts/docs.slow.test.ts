/** Runs what README.md and the smallest example tell a newcomer to type, as it stands there, with an empty home. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks } from "./check-docs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A clone that is built: the sources' own folders, and examples of its own to write into. */
const clone = mkdtempSync(join(tmpdir(), "bb-docs-"));
let box: ChildProcess | null = null;
let port = 0;

/** The shell's blocks of a page, line by line. */
function shellBlocks(page: string): string[][] {
  return codeBlocks(page, readFileSync(join(root, page), "utf8"))
    .filter((block) => block.language === "sh")
    .map((block) => block.code.trim().split("\n"));
}

function environment(): NodeJS.ProcessEnv {
  const { XDG_STATE_HOME: _state, XDG_CACHE_HOME: _cache, BLINDBOX_API_KEY: _key, ...rest } = process.env;
  // Without the pinned Node in front: a newcomer has the machine's own.
  const path = (process.env.PATH ?? "").split(":").filter((entry) => !entry.includes("node_modules"));
  // A shell whose locale is not installed says so on standard error.
  return { ...rest, HOME: clone, PATH: path.join(":"), LC_ALL: "C" };
}

/** The pages say 8443, the default; another program of this machine may have it. */
function onFreePort(line: string): string {
  return line.replace(/(blindbox run \S+)/, `$1 --listen 127.0.0.1:${port}`).replaceAll(":8443", `:${port}`);
}

function shell(lines: readonly string[]): string[] {
  return ["--norc", "-O", "expand_aliases", "-euc", lines.map(onFreePort).join("\n")];
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function type(lines: readonly string[]): Outcome {
  return spawnSync("bash", shell(lines), {
    cwd: clone,
    env: environment(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function startInBackground(lines: readonly string[]): Promise<string> {
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const child = spawn("bash", shell(lines), { cwd: clone, env: environment(), stdio: [...stdio], detached: true });
  box = child;
  return new Promise((resolve, reject) => {
    let text = "";
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      if (/^root\s/m.test(text)) resolve(text);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("close", (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}

async function stopBox(): Promise<void> {
  const child = box;
  box = null;
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  process.kill(-child.pid, "SIGTERM");
  await closed;
}

function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  return new Promise((resolve) => {
    server.once("listening", () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve(free));
    });
  });
}

beforeAll(async () => {
  execFileSync("tsc", ["-b"], { cwd: root });
  execFileSync("node", ["scripts/bundle-enclave.ts"], { cwd: root });
  for (const name of ["node_modules", "packages"]) symlinkSync(join(root, name), join(clone, name));
  // What somebody made while trying them is not in a clone.
  const filter = (path: string): boolean => !/\.blindbox$|\.tar$|\.wav$|key\.txt$|my\.yml$/.test(path);
  cpSync(join(root, "examples"), join(clone, "examples"), { recursive: true, filter });
  port = await freePort();
});

afterEach(stopBox);
afterAll(() => rmSync(clone, { recursive: true, force: true }));

describe("README", () => {
  const blocks = shellBlocks("README.md");
  const alias = blocks[2] ?? [];

  test("has exactly two set-up commands, and then the blocks of the first box", () => {
    expect(blocks.slice(0, 2)).toEqual([["./demo"], ["./test"]]);
    expect(blocks).toHaveLength(6);
  });

  test("says to type what leads to a verified answer of the app", { timeout: 120_000 }, async () => {
    const vendor = blocks[3] ?? [];
    const built = type([...alias, ...vendor.slice(0, -1)]);
    expect(built, built.stderr).toMatchObject({ status: 0 });
    expect(vendor.at(-1)).toMatch(/^blindbox run /);
    const started = await startInBackground([...alias, ...vendor.slice(-1)]);
    expect(started).toContain(join(clone, ".local/state/blindbox/simulated/root.pem"));
    const [verify = "", request = ""] = blocks[4] ?? [];
    const verified = type([...alias, verify]);
    expect(verified).toMatchObject({ status: 0 });
    expect(verified.stdout).toContain("accepted with the warnings above");
    const answered = type([...alias, request]);
    expect(answered).toMatchObject({ status: 0 });
    expect(answered.stdout).toContain("Hello from inside the box.");
    const [kept, explained, inspected] = (blocks[5] ?? []).map((line) => type([...alias, line]));
    expect(kept).toMatchObject({ status: 0, stdout: expect.stringContaining("self-test: all ") as string });
    expect(explained).toMatchObject({ status: 0, stdout: expect.stringContaining("specified in ") as string });
    expect(inspected).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("Nothing here was verified") as string,
    });
  });

  test("types what `blindbox --help` types", () => {
    const { stdout } = type([...alias, "blindbox --help"]);
    const shown = [...stdout.matchAll(/^ {2}(blindbox (?:init|keys|build|run|verify|request) .*|blindbox build)$/gm)];
    const typed = blocks
      .slice(3, 5)
      .flat()
      .filter((line) => line.startsWith("blindbox "));
    expect(shown.map(([, line]) => onFreePort(line?.trim() ?? ""))).toEqual(typed.map(onFreePort));
  });
});

describe("examples/hello/README.md", () => {
  const [vendor = [], owner = []] = shellBlocks("examples/hello/README.md");
  const run = vendor.findIndex((line) => line.startsWith("blindbox run"));
  const alias = vendor.filter((line) => /^(cd|alias) /.test(line));
  const client = owner.filter((line) => /^cd |client\.ts/.test(line));

  test("says to type what leads to the app's answers, and touches no tracked file", { timeout: 120_000 }, async () => {
    // The first line installs and builds, which is done.
    const built = type(vendor.slice(1, run));
    expect(built, built.stderr).toMatchObject({ status: 0 });
    await startInBackground([...alias, vendor[run] ?? ""]);
    const answered = type(owner);
    expect(answered).toMatchObject({ status: 0, stderr: expect.not.stringContaining("rror") as string });
    expect(answered.stdout.match(/Hello from inside the box\./g)).toHaveLength(2);
    expect(answered.stdout.trimEnd().split("\n").at(-1)).toBe("and back");
    for (const file of ["blindbox.yml", "client.ts", "build-image.sh"])
      expect(readFileSync(join(clone, "examples/hello", file))).toEqual(
        readFileSync(join(root, "examples/hello", file)),
      );
    writeFileSync(join(clone, "examples/hello/wrong.txt"), `bb_${"A".repeat(43)}\n`);
    const wrong = type(client.map((line) => line.replace("key.txt", "wrong.txt")));
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toBe("the box answered 401: is the key in wrong.txt one that blindbox.yml admits?\n");
  });

  test("its client says in one line that no box runs, that a file is missing, and how it is used", () => {
    // The box of the test before is gone, what it was built from is there.
    for (const [line, status] of [
      [client[1], 1],
      [client[1]?.replace("key.txt", "missing.txt"), 1],
      [client[1]?.replace("key.txt", ""), 2],
    ] as const) {
      const outcome = type([client[0] ?? "", line ?? ""]);
      expect(outcome.stderr).toMatch(/^[^\n]+\n$/);
      expect(outcome).toMatchObject({ status, stdout: "" });
    }
  });
});
