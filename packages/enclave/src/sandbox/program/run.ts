/** Runs programs of system calls. None of their files stays on disk. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex, Readable } from "node:stream";
import { scratchFile } from "../scratch.ts";
import { assemble } from "./assemble.ts";
import { describeFailure, readFailure } from "./failure.ts";
import type { Step } from "./steps.ts";

/** Where each program of ours reports that it ended early; the descriptors of its steps start above. */
export const REPORT = 3;

/** The first descriptor that is the program's own. */
export const FIRST_DESCRIPTOR: number = REPORT + 1;

/** For close_range(2). */
export const LAST_DESCRIPTOR = 0xffff_ffff;
export const CLOSE_ON_EXEC = 4;

type Stream = "pipe" | "ignore" | number;

export interface SpawnOptions {
  /** Standard input, output and errors. */
  readonly stdio: readonly [Stream, Stream, Stream];
  /** Handed over as `FIRST_DESCRIPTOR` and so on. */
  readonly descriptors: readonly (number | "ipc" | "pipe")[];
}

/**
 * Starts a program with an empty environment; its report is `reportOf` the child. It gets a session of its own: a signal of
 * the terminal, or of an init, to all of our group must not end the application before we do.
 */
export function spawnProgram(scratch: string, steps: readonly Step[], options: SpawnOptions): ChildProcess {
  const image = assemble(steps, { reportTo: REPORT, resultsTo: null, firstStep: 0 });
  const file = scratchFile(scratch, image, 0o755);
  const stdio: StdioOptions = [...options.stdio, "pipe", ...options.descriptors];
  try {
    const child = spawn(file.path, [], { stdio, env: {}, serialization: "json", detached: true });
    // Told once more to whoever waits for its end, or read from the report that never comes.
    return child.on("error", () => {});
  } finally {
    file.remove();
  }
}

export interface RunOptions {
  readonly descriptors?: readonly number[];
  /** Standard input of what the program becomes by execve. */
  readonly input?: string;
}

/** Resolves when the program, and what it became by execve, ended with status 0; otherwise rejects with what failed. */
export async function runProgram(scratch: string, steps: readonly Step[], options: RunOptions = {}): Promise<void> {
  const child = spawnProgram(scratch, steps, {
    stdio: ["pipe", "ignore", "pipe"],
    descriptors: options.descriptors ?? [],
  });
  const ended = once(child, "exit");
  const report = collect(reportOf(child));
  const errors = collect(child.stderr);
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input ?? "");
  const [status] = (await ended) as [number | null];
  if (status === 0) return;
  const failure = readFailure(await report);
  if (failure) throw new Error(describeFailure(failure, steps, 0));
  throw new Error(`status ${status}: ${firstLine(await errors)}`);
}

export function reportOf(child: ChildProcess): Duplex {
  return child.stdio[REPORT] as Duplex;
}

/** More than any report or complaint has; what comes behind is read and dropped, so that no writer can fill our memory. */
const MOST_COLLECTED = 64 * 1024;

/** The first bytes of a stream, until it ends; never rejects. */
export async function collect(stream: Readable | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let room = MOST_COLLECTED;
  stream?.on("error", () => {});
  stream?.on("data", (chunk: Uint8Array) => {
    if (room > 0) chunks.push(chunk.subarray(0, room));
    room -= Math.min(room, chunk.length);
  });
  if (stream && !stream.closed) await once(stream, "close").catch(() => {});
  return Buffer.concat(chunks);
}

/** A tool's first line of complaint: printable, short. */
export function firstLine(bytes: Uint8Array): string {
  const line = Buffer.from(bytes).toString("latin1").trim().split("\n", 1)[0] ?? "";
  return line.replaceAll(/[^ -~]/g, "?").slice(0, 200);
}
