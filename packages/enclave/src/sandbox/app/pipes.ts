/**
 * Pipes for the application's output. Node's own are sockets, and a program that opens /dev/stdout, as web servers do for
 * their logs, cannot open a socket.
 */
import { randomUUID } from "node:crypto";
import { chownSync, constants, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { AppUser } from "../../parts.ts";
import { AT_CWD } from "../kernel/constants.ts";
import { runProgram } from "../program/run.ts";
import { closeAll } from "../scratch.ts";
import { must, text } from "../program/steps.ts";

export interface OutputPipes {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Descriptors to hand to the application; `closeWriters` when it has them. */
  readonly writers: readonly [number, number];
  closeWriters(): void;
  /** Gives up all ends. */
  close(): void;
}

const FIFO = 0o010_000;

/** Named pipes that lose their names at once. `owner` is the application's id on the host. */
export async function makeOutputPipes(scratch: string, owner: AppUser): Promise<OutputPipes> {
  const paths = [randomUUID(), randomUUID()].map((name) => join(scratch, name));
  const steps = paths.map((path) => must("mknodat", AT_CWD, text(path), FIFO | 0o600, 0));
  await runProgram(scratch, steps);
  try {
    return openPipes(paths, owner);
  } finally {
    for (const path of paths) rmSync(path, { force: true });
  }
}

function openPipes(paths: readonly string[], owner: AppUser): OutputPipes {
  for (const path of paths) chownSync(path, owner.uid, owner.gid);
  const [out = -1, err = -1] = paths.map((path) => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  const [outWriter = -1, errWriter = -1] = paths.map((path) => openSync(path, constants.O_WRONLY));
  const stdout = new Socket({ fd: out, readable: true, writable: false });
  const stderr = new Socket({ fd: err, readable: true, writable: false });
  const own = [outWriter, errWriter];
  const closeWriters = () => closeAll(own.splice(0));
  const close = () => {
    closeWriters();
    stdout.destroy();
    stderr.destroy();
  };
  return { stdout, stderr, writers: [outWriter, errWriter], closeWriters, close };
}
