/** What becomes of what the application writes: by default nothing. It is always read, so that the application never waits. */
import type { Readable } from "node:stream";
import type { AppProcess, EmitEvent } from "../parts.ts";
import type { Clock } from "./clock.ts";

/** As the Manifest says it. */
export type Logs = "none" | "metadata" | "app";

export interface OutputOptions {
  readonly logs: Logs;
  readonly onEvent: EmitEvent;
  readonly clock: Clock;
}

/** Takes both streams of one run of the application until they end. */
export function takeOutput({ stdout, stderr }: Pick<AppProcess, "stdout" | "stderr">, options: OutputOptions): void {
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  if (options.logs === "none") {
    stdout.resume();
    stderr.resume();
  } else if (options.logs === "metadata") {
    count({ stdout, stderr }, options.onEvent);
  } else {
    forward("stdout", stdout, options);
    forward("stderr", stderr, options);
  }
}

/** Milliseconds between two reports of how much was written. */
const REPORT_EVERY = 60_000;

function count(streams: Readonly<Record<"stdout" | "stderr", Readable>>, onEvent: EmitEvent): void {
  const bytes = { stdout: 0, stderr: 0 };
  let reported = 0;
  const report = () => {
    const all = bytes.stdout + bytes.stderr;
    if (all !== reported) onEvent({ event: "app-output-size", stdout: bytes.stdout, stderr: bytes.stderr });
    reported = all;
  };
  const timer = setInterval(report, REPORT_EVERY).unref();
  streams.stdout.on("data", (chunk: Uint8Array) => (bytes.stdout += chunk.length));
  streams.stderr.on("data", (chunk: Uint8Array) => (bytes.stderr += chunk.length));
  streams.stdout.once("close", () => {
    clearInterval(timer);
    report();
  });
}

/** Longest line that is forwarded whole, in bytes. */
const LONGEST_LINE = 8 * 1024;
/** Lines a second; whoever reads our events must not be able to slow the box down by much. */
const LINES_A_SECOND = 500;

function forward(name: string, stream: Readable, { onEvent, clock }: OutputOptions): void {
  const allowance = createAllowance(clock);
  let pending: Buffer = Buffer.alloc(0);
  const emit = (line: Buffer) => {
    const dropped = allowance.take();
    if (dropped === null) return;
    if (dropped > 0) onEvent({ event: "app-output-dropped", stream: name, lines: dropped });
    onEvent({ event: "app-output", stream: name, text: line.toString("utf8") });
  };
  stream.on("data", (chunk: Buffer) => {
    pending = splitLines(Buffer.concat([pending, chunk]), emit);
  });
  stream.once("close", () => {
    if (pending.length > 0) emit(pending);
  });
}

/** Hands on whole lines, and pieces of those that are too long; returns the unfinished rest. */
function splitLines(bytes: Buffer, emit: (line: Buffer) => void): Buffer {
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    if (end - start > LONGEST_LINE) {
      emit(bytes.subarray(start, start + LONGEST_LINE));
      start += LONGEST_LINE;
    } else if (newline === -1) {
      return Buffer.from(bytes.subarray(start));
    } else {
      emit(bytes.subarray(start, newline));
      start = newline + 1;
    }
  }
}

interface Allowance {
  /** `null` where the line must be dropped; else how many were dropped since the last one that was not. */
  take(): number | null;
}

function createAllowance(clock: Clock): Allowance {
  let second = Math.floor(clock.now() / 1000);
  let left = LINES_A_SECOND;
  let dropped = 0;
  return {
    take: () => {
      const current = Math.floor(clock.now() / 1000);
      if (current !== second) left = LINES_A_SECOND;
      second = current;
      if (left === 0) {
        dropped += 1;
        return null;
      }
      left -= 1;
      const before = dropped;
      dropped = 0;
      return before;
    },
  };
}
