import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const launcher = fileURLToPath(new URL("launch.ts", import.meta.url));

/** What a run of the command left behind. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
}

/** Runs `program` with an environment of its own, and waits for its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {}, input = "" }: RunOptions = {},
): Promise<Run> {
  const child = spawn(program, args, { cwd, env: { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", ...env } });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { code, ...output };
}

/** Arguments for Node that start the command from its sources. */
export function commandLine(args: readonly string[]): string[] {
  return ["--conditions=blindbox-source", "--disable-warning=ExperimentalWarning", launcher, ...args];
}

/** Runs `blindbox` as a process of its own. */
export function blindbox(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return runProgram(process.execPath, commandLine(args), options);
}

/** An empty directory that is gone after the test. */
export function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "blindbox-cli-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
