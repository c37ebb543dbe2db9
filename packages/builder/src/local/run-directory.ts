/** A private directory for one run. Those of runs that were killed are removed when the next one starts. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { shownPath } from "../build-error.ts";
import { fileReason } from "../file-fault.ts";
import { makeDirectories } from "../make-directories.ts";
import { isGone, startTime } from "../owner-mark.ts";
import { RunError } from "./run-error.ts";

/** A directory of mode 0700. */
export interface RunDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

async function isStale(name: string): Promise<boolean> {
  const [, pid, started] = /^(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? [];
  return pid !== undefined && started !== undefined && isGone(Number(pid), started);
}

/** Does `work` in the state directory. Throws a RunError `state-unusable` for what the file system refuses. */
async function inState<T>(stateDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const actual = fileReason(error);
    throw actual === null ? error : unusableState(stateDir, actual);
  }
}

/** The error for a state directory in which the file system refuses to work. */
export function unusableState(stateDir: string, actual: string): RunError {
  return new RunError("state-unusable", {
    reason: `the state directory ${shownPath(stateDir)} cannot be used: ${actual}`,
    hint: "make room and see that you may write there, or choose another state directory (XDG_STATE_HOME)",
  });
}

function removeTree(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 5 });
}

async function removeStale(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    if (await isStale(name)) await removeTree(join(runs, name));
  }
}

/** Who may write to these may exchange what is run, and the keys that it is attested with. */
async function ownDirectory(path: string, name: string): Promise<void> {
  await makeDirectories(path, 0o700);
  const { mode, uid } = await stat(path);
  const hint = "remove it, or choose a state directory that is yours alone (XDG_STATE_HOME)";
  if (uid !== process.getuid?.()) throw new RunError("state-unusable", { reason: `${name} is another user's`, hint });
  if ((mode & 0o022) !== 0) throw new RunError("state-unusable", { reason: `others may write to ${name}`, hint });
}

/**
 * Makes `runs/<name>` below the state directory. Throws a RunError `state-unusable` where another user owns or may write
 * to either of these two, or where nothing can be written.
 */
export function createRunDirectory(stateDir: string): Promise<RunDirectory> {
  const runs = join(stateDir, "runs");
  return inState(stateDir, async () => {
    await ownDirectory(stateDir, "the state directory");
    await ownDirectory(runs, "the directory of runs");
    await removeStale(runs);
    const name = `${process.pid}-${await startTime(process.pid)}-${randomBytes(4).toString("hex")}`;
    const path = join(runs, name);
    await mkdir(path, { mode: 0o700 });
    return { path, remove: () => inState(stateDir, () => removeTree(path)) };
  });
}
