/** `./demo` itself, as a newcomer runs it. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
let temporary = "";
let env: NodeJS.ProcessEnv = {};
// A shell whose locale is not installed says so on standard error.
const LC_ALL = "C";

// A temporary folder of this test's own tells its leftovers from those of anybody else on the machine.
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "bb-"));
  env = { ...process.env, LC_ALL, TMPDIR: temporary };
});

afterEach(() => rmSync(temporary, { recursive: true, force: true }));

/** Each process with its parent, by pid; pid and start name one process. What has ended and was not waited for is left out. */
function processTable(): Map<number, { readonly name: string; readonly parent: number }> {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid=,stat=,lstart="], { encoding: "utf8" });
  const rows = [...stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+[^\sZ]\S*\s+(\S.*)$/gm)];
  return new Map(
    rows.map(([, pid, parent, start]) => [Number(pid), { name: `${pid} ${start}`, parent: Number(parent) }]),
  );
}

function descendants(ancestor: number): string[] {
  const table = processTable();
  const below = new Set([ancestor]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const [pid, { parent }] of table) if (below.has(parent)) below.add(pid);
  }
  return [...below].flatMap((pid) => table.get(pid)?.name ?? []);
}

function alive(names: readonly string[]): string[] {
  const now = new Set([...processTable().values()].map(({ name }) => name));
  return names.filter((name) => now.has(name));
}

function expectNothingLeft(): void {
  expect(readdirSync(temporary)).toEqual([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(temporary);
  expect(spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout).not.toContain(temporary);
}

/** What the app and the network try with the transcript, as the demonstration tells it. */
function expectWaysOut(stdout: string): void {
  for (const line of [
    "records.clinic.example, port 443: verified",
    'records.clinic.example received: POST /transcripts {"text": "the patient has a history of high blood pressure"}',
    "hidden in server.py: posts to telemetry.transcriber.example and to 203.0.113.99",
    "DNS questions, connections and bytes of it that the network saw: 0",
    "the impostor got a connection, on which the box refused its certificate",
    "bytes of the transcript that the impostor received: 0",
  ])
    expect(stdout.split("\n").map((text) => text.trim())).toContain(line);
  const row = / {2}([a-z-]+) +\d+ +(?:\d+|-) +(?:verified|-) +(?:records\.clinic\.example|-) +\d+ +\d+ +\d+ {2}\S+$/gm;
  const verdicts = [...stdout.matchAll(row)].map(([, verdict]) => verdict);
  const afterDelivery = verdicts.slice(verdicts.indexOf("closed") + 1);
  expect(verdicts).toEqual(expect.arrayContaining(["request-allowed", "connected", "closed"]));
  expect(new Set(afterDelivery)).toEqual(
    new Set(["refused-name", "refused-address", "request-allowed", "refused-certificate-untrusted"]),
  );
  expect(stdout).toContain(": unbroken chains, and the ones that were attested: ");
}

/** Who sees what, in the demonstration's own Manifest. */
function expectExposure(stdout: string): void {
  const lines = stdout.split("\n").map((text) => text.trim());
  expect(lines.some((line) => line.startsWith("EVERYTHING: the simulated TEE protects nothing"))).toBe(true);
  expect(lines).toContain(
    "whatever the application sends in requests of POST to /transcripts, the data of callers included [egress[0]]",
  );
  const answers = lines.filter((line) => line.startsWith("whatever the application answers to "));
  expect(answers.map((line) => line.split(",")[0])).toEqual([
    "whatever the application answers to POST of /transcribe",
  ]);
}

test("./demo does all that it says, and leaves nothing running, mounted or written", { timeout: 300_000 }, () => {
  const { status, stdout, stderr } = spawnSync("./demo", { cwd: root, env, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain('transcript: "the patient has a history of high blood pressure"');
  expect(stdout).toMatch(/^ {2}bytes of the recording sent, over that connection: [1-9]\d{4,}$/m);
  expect(stdout).toMatch(/^ {2}without a key: 401, urn:blindbox:problem:unauthenticated$/m);
  expect(stdout).toMatch(
    /^ {2}with a key that the Manifest does not name: 401, urn:blindbox:problem:unauthenticated$/m,
  );
  expect(stdout).toContain("requests that reached the app so far: 1, the clinic's own");
  expectExposure(stdout);
  for (const name of ["NotAnEnclaveError: ", "ChannelBindingError: ", "InvalidEnclaveCode: "])
    expect(stdout).toContain(name);
  expect(stdout.match(/bytes of the recording that the impostor received: 0/g)).toHaveLength(2);
  expectWaysOut(stdout);
  expect(stdout).toContain("All as promised");
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^The simulated TEE protects nothing/);
  expectNothingLeft();
});

test("./demo says what it cannot show without a network of its own, and shows the rest", { timeout: 300_000 }, () => {
  const programs = mkdtempSync(join(tmpdir(), "bb-"));
  onTestFinished(() => rmSync(programs, { recursive: true, force: true }));
  writeFileSync(join(programs, "unshare"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const PATH = `${programs}:${process.env["PATH"]}`;
  const { status, stdout, stderr } = spawnSync("./demo", { cwd: root, env: { ...env, PATH }, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ {2}not shown: .+; that needs a fake internet, so root or user namespaces$/m);
  expect(stdout).toContain('transcript: "the patient has a history of high blood pressure"');
  expect(stdout).toContain("InvalidEnclaveCode: ");
  expect(stdout).toMatch(/^ {2}without a key: 401, /m);
  expect(stdout).not.toContain("records.clinic.example");
  expectNothingLeft();
});

interface Interrupted {
  readonly status: number | null;
  readonly stderr: string;
  /** What ran when the signal was sent. */
  readonly processes: readonly string[];
}

/** Runs `./demo` and signals it once it has printed `after`, its whole group as a terminal does, or it alone. */
async function interrupt(after: string, signal: NodeJS.Signals, whom: "group" | "leader"): Promise<Interrupted> {
  const child = spawn("./demo", { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const pid = child.pid ?? Number.NaN;
  let stdout = "";
  let stderr = "";
  let running: string[] | null = null;
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    if (running !== null || !stdout.includes(after)) return;
    running = descendants(pid);
    process.kill(whom === "group" ? -pid : pid, signal);
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (running === null) throw new Error(`./demo never printed "${after}": ${stdout}${stderr}`);
  return { status, stderr, processes: running };
}

describe("./demo, interrupted, leaves nothing running, mounted or written, and ends with the signal's code:", () => {
  test.each([
    ["while the box is built", "$ blindbox build", "SIGINT", "group", 130],
    ["while the box starts", "$ blindbox run transcriber.blindbox", "SIGINT", "leader", 130],
    ["while the recording is transcribed", "status: ", "SIGINT", "group", 130],
    ["while the impostor waits", "DNS now says ", "SIGINT", "leader", 130],
    ["while the tampered box starts", "$ blindbox run tampered.blindbox", "SIGTERM", "leader", 143],
  ] as const)("%s", { timeout: 300_000 }, async (_when, after, signal, whom, code) => {
    const { status, stderr, processes } = await interrupt(after, signal, whom);
    // The kernel takes a moment to end a pid namespace whose first process is gone.
    await expect.poll(() => alive(processes), { timeout: 10_000 }).toEqual([]);
    expectNothingLeft();
    expect(stderr).toBe(`\nstopped by ${signal}: what was started has ended, and its files are removed\n`);
    expect(status).toBe(code);
  });
});

test("./demo and ./test refuse an argument that they do not know, with a hint", () => {
  for (const script of ["./demo", "./test"]) {
    const { status, stderr } = spawnSync(script, ["--fast"], { cwd: root, env, encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: argument --fast: unknown; expected .*\nhint: {2}\.\/(demo|test)/);
  }
});
