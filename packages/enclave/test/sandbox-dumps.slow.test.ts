/** A box that is made to abort: what its memory holds must not lie about on its machine. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { removeTemporary, temporaryDirectory } from "./fixtures-sandbox/rootfs.ts";

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));
const SECRET = "a key of the box, again and again; ";
const children: ChildProcess[] = [];
const RAISE = "ulimit -S -c $(ulimit -H -c); ulimit -H -c; exec";

/** In a shell that allows dumps as large as it may; their size comes first on standard output. */
async function start(program: string): Promise<{ folder: string; lines: () => string[]; abort: () => Promise<void> }> {
  const folder = temporaryDirectory();
  const setUp = `
    import { forbidCoreDumps } from ${JSON.stringify(source("sandbox/index.ts"))};
    globalThis.kept = Buffer.alloc(1 << 20, ${JSON.stringify(SECRET)});
    const forbid = () => forbidCoreDumps(${JSON.stringify(join(folder, "scratch"))});
    ${program}
    console.log("up");
    setInterval(() => {}, 1000);`;
  const node = [process.execPath, "--conditions=blindbox-source", "--input-type=module", "-e", setUp];
  const child = spawn("/bin/sh", ["-c", `${RAISE} "$@"`, "sh", ...node], {
    cwd: folder,
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said, { timeout: 10_000 }).toMatch(/up\n$/);
  const abort = async () => {
    child.kill("SIGABRT");
    await once(child, "exit");
  };
  return { folder, lines: () => said.trim().split("\n"), abort };
}

const dumpsOf = (folder: string) => readdirSync(folder).filter((name) => name.startsWith("core"));

/** Where dumps are files beside the program, and are allowed at all. */
function whyNone(): string | null {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs Linux on x86-64";
  const pattern = readFileSync("/proc/sys/kernel/core_pattern", "latin1").trim();
  if (!pattern.startsWith("core")) return "needs a core_pattern that is a file beside the program";
  const { stdout } = spawnSync("/bin/sh", ["-c", "ulimit -H -c"], { encoding: "utf8" });
  return stdout.trim() === "unlimited" ? null : "needs a limit on core dumps that can be raised";
}

const reason = whyNone();
const noted = (title: string, why: string | null) => `${title}${why === null ? "" : ` (skipped: ${why})`}`;

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(removeTemporary);

describe(noted("a process that aborts", reason), () => {
  const check = test.skipIf(reason !== null);

  check("leaves its memory in a file, unless it forbade that", async () => {
    const [careless, careful] = [await start(""), await start("await forbid();")];
    await Promise.all([careless.abort(), careful.abort()]);
    const [dump = ""] = dumpsOf(careless.folder);
    expect(readFileSync(join(careless.folder, dump)).includes(SECRET)).toBe(true);
    expect(dumpsOf(careful.folder)).toEqual([]);
  });

  check("leaves nothing of its memory in a dump that is made all the same, for want of a limit", async () => {
    const { folder, abort } = await start('await forbidCoreDumps("/dev/null/none").catch(() => {});');
    await abort();
    const [dump = ""] = dumpsOf(folder);
    expect(readFileSync(join(folder, dump)).includes(SECRET)).toBe(false);
  });

  check("has neither a dump to a file nor one to a program allowed, and no kind of memory in it", async () => {
    const { lines, abort } = await start(`await forbid();
      const { readFileSync } = await import("node:fs");
      const read = (name) => readFileSync("/proc/self/" + name, "latin1");
      console.log(/^Max core file size +\\S+ +\\S+/m.exec(read("limits"))[0].replace(/ +/g, " "));
      console.log(Number("0x" + read("coredump_filter").trim()));`);
    expect(lines().slice(1, 3)).toEqual(["Max core file size 1 1", "0"]);
    await abort();
  });
});

const elsewhere = process.platform === "linux" && process.arch === "x64" ? null : "needs Linux on x86-64";

test.skipIf(elsewhere !== null)(
  noted("a box that cannot forbid core dumps refuses to start before anything else is read", elsewhere),
  async () => {
    const args = [
      "--root",
      "/nowhere",
      "--listen",
      "127.0.0.1:0",
      "--device",
      "/nowhere",
      "--scratch",
      "/dev/null/none",
    ];
    const child = spawn(process.execPath, ["--conditions=blindbox-source", source("simulated/main.ts"), ...args], {
      env: {},
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    expect((await once(child, "close"))[0]).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      event: "refused",
      code: "sandbox-failed",
      reason: expect.stringContaining("core dumps of the box cannot be turned off") as string,
    });
  },
);
