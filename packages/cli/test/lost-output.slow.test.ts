/** What becomes of a command whose output goes nowhere: a full disk, or a reader that went away. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasAssets } from "./assets.ts";
import { attestedBox, type AttestedBox } from "./attested-box.ts";
import { blindbox, commandLine, emptyDirectory, runProgram } from "./command.ts";

const fullDisk = "/dev/full";
const told =
  "error: the standard output: expected a place that takes what is written, got a full disk\n" +
  "hint: what was to be written there is lost\n";

interface Ending {
  readonly code: number | null;
  readonly stderr: string;
}

function endingOf(child: ChildProcess): Promise<Ending> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}

/** Runs the command with a stdout that is a full disk, or a pipe that nobody reads. */
function withoutOutput(args: readonly string[], stdout: "full" | "unread", cwd: string): Promise<Ending> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", XDG_STATE_HOME: join(cwd, "state") };
  const full = stdout === "full" ? openSync(fullDisk, "w") : null;
  const child = spawn(process.execPath, commandLine(args), { cwd, env, stdio: ["ignore", full ?? "pipe", "pipe"] });
  if (full !== null) closeSync(full);
  child.stdout?.destroy();
  return endingOf(child);
}

/** An application whose answer is longer than what any pipe holds. */
function boxWithLongAnswer(): Promise<AttestedBox> {
  return attestedBox((_, response) => void response.end(new Uint8Array(3_000_000)));
}

describe.skipIf(!existsSync(fullDisk))("a full disk behind the standard output (needs /dev/full)", () => {
  test.each([
    [["--version"]],
    [["--help"]],
    [["help", "run"]],
    [["keys", "new", "--out", "key.txt"]],
    [["keys", "new"]],
  ])("is told in one line by %j, and gives 2", async (args) => {
    const { code, stderr } = await withoutOutput(args, "full", emptyDirectory());
    expect(code).toBe(2);
    expect(stderr).toContain(told);
    expect(stderr).not.toContain("    at ");
  });

  test("is told by verify and request, whatever the box proved", async () => {
    const { url, flags, cwd } = await boxWithLongAnswer();
    const verified = await withoutOutput(["verify", url, ...flags], "full", cwd);
    const requested = await withoutOutput(["request", "GET", url, ...flags, "--anonymous", "-i"], "full", cwd);
    expect([verified, requested]).toEqual([
      { code: 2, stderr: told },
      { code: 2, stderr: told },
    ]);
  });

  test("that is the standard error's does not end in a loop", async () => {
    const full = openSync(fullDisk, "w");
    const child = spawn(process.execPath, commandLine(["verfy"]), { stdio: ["ignore", "ignore", full] });
    closeSync(full);
    expect((await endingOf(child)).code).toBe(2);
  });
});

describe("a reader that went away", () => {
  test("is no reason for a word, and hides no refusal", async () => {
    const { url, flags, cwd } = await boxWithLongAnswer();
    const other = flags.map((flag) => (flag.startsWith("sha256:") ? `sha256:${"0".repeat(64)}` : flag));
    expect(await withoutOutput(["verify", url, ...flags], "unread", cwd)).toEqual({ code: 0, stderr: "" });
    expect(await withoutOutput(["verify", url, ...other], "unread", cwd)).toEqual({ code: 1, stderr: "" });
  });

  test("ends a long answer quietly", async () => {
    const { url, flags, cwd } = await boxWithLongAnswer();
    const args = ["request", "GET", url, ...flags, "--anonymous"];
    expect(await withoutOutput(args, "unread", cwd)).toEqual({ code: 0, stderr: "" });
    const line = commandLine(args).map((word) => `'${word}'`);
    const script = `set -o pipefail; '${process.execPath}' ${line.join(" ")} | head -c 1 | wc -c`;
    expect(await runProgram("bash", ["-c", script], { cwd })).toEqual({ code: 0, stdout: "1\n", stderr: "" });
  });

  test("does not hide the status that --fail asks for", async () => {
    const { url, flags, cwd } = await attestedBox((_, response) => void response.writeHead(500).end("sorry"));
    const args = ["request", "GET", url, ...flags, "--anonymous", "--fail"];
    const note = "note: the answer has status 500\n";
    expect(await withoutOutput(args, "unread", cwd)).toEqual({ code: 6, stderr: note });
  });
});

const imageScript = fileURLToPath(new URL("../../../examples/hello/build-image.sh", import.meta.url));
const missing = ["bwrap", "ip", "busybox"].filter((program) => spawnSync(program, ["--help"]).error !== undefined);
const canRun = hasAssets && missing.length === 0 && existsSync(fullDisk);

/** Command lines of all processes that name `text`. */
function processesNaming(text: string): readonly string[] {
  return readdirSync("/proc").flatMap((id) => {
    try {
      const line = /^\d+$/.test(id) ? readFileSync(`/proc/${id}/cmdline`, "utf8") : "";
      return line.includes(text) ? [line.replaceAll("\0", " ")] : [];
    } catch {
      return [];
    }
  });
}

describe.skipIf(!canRun)(
  `blindbox run without its output (needs npm run build, bubblewrap, iproute2, busybox-static, /dev/full; missing: ${missing.join(", ")})`,
  () => {
    let cwd: string;

    beforeAll(async () => {
      cwd = mkdtempSync(join(tmpdir(), "bb-"));
      expect((await runProgram("sh", [imageScript, join(cwd, "hello.tar")])).code).toBe(0);
      const flags = ["--image", "hello.tar", "--name", "hello", "--port", "80", "--new-key", "key.txt"];
      await blindbox(["init", ...flags], { cwd });
      expect((await blindbox(["build"], { cwd })).code).toBe(0);
    }, 120_000);

    afterAll(() => rmSync(cwd, { recursive: true, force: true }));

    test.each([
      ["full", 2, [told]],
      ["unread", 0, []],
    ] as const)("(%s) stops the box, gives %i, and leaves nothing behind", async (stdout, code, lines) => {
      const ending = await withoutOutput(["run", "hello.blindbox", "--listen", "127.0.0.1:0"], stdout, cwd);
      expect(ending.code).toBe(code);
      expect(ending.stderr).toMatch(/\nstopped\n$/);
      expect(ending.stderr.match(/^error: [^]*?\nhint: .*\n/gm) ?? []).toEqual(lines);
      expect(readdirSync(join(cwd, "state", "blindbox", "runs"))).toEqual([]);
      expect(processesNaming(join(cwd, "state"))).toEqual([]);
    });

    test("a reader of notes that went away ends the start, too", async () => {
      const env = { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", XDG_STATE_HOME: join(cwd, "state") };
      const args = commandLine(["run", "hello.blindbox", "--listen", "127.0.0.1:0"]);
      const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
      child.stderr.destroy();
      expect((await endingOf(child)).code).toBe(2);
      expect(readdirSync(join(cwd, "state", "blindbox", "runs"))).toEqual([]);
      expect(processesNaming(join(cwd, "state"))).toEqual([]);
    });

    test("a build whose notes nobody reads is given up, and says so by its exit code", async () => {
      writeFileSync(
        join(cwd, "other.yml"),
        readFileSync(join(cwd, "blindbox.yml"), "utf8").replace("name: hello", "name: other"),
      );
      const child = spawn(process.execPath, commandLine(["build", "other.yml"]), {
        cwd,
        stdio: ["ignore", "ignore", "pipe"],
      });
      child.stderr.destroy();
      expect((await endingOf(child)).code).toBe(2);
      expect(existsSync(join(cwd, "other.blindbox"))).toBe(false);
    });
  },
);
