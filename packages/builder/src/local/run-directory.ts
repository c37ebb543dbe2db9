/** A private directory for one run. Those of runs that were killed are removed when the next one starts. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { RunError } from "./run-error.ts";

/** A directory of mode 0700. */
export interface RunDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** When a process started, in the kernel's ticks: with the pid it names one process for as long as the machine is up. */
async function startTime(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => null);
  // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

async function isStale(name: string): Promise<boolean> {
  const [, pid, started] = /^(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? [];
  return pid !== undefined && (await startTime(Number(pid))) !== started;
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
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(path);
  const hint = "remove it, or choose a state directory that is yours alone (XDG_STATE_HOME)";
  if (uid !== process.getuid?.()) throw new RunError("state-unusable", { reason: `${name} is another user's`, hint });
  if ((mode & 0o022) !== 0) throw new RunError("state-unusable", { reason: `others may write to ${name}`, hint });
}

/**
 * Makes `runs/<name>` below the state directory. Throws a RunError `state-unusable` where another user owns or may write
 * to either of these two.
 */
export async function createRunDirectory(stateDir: string): Promise<RunDirectory> {
  const runs = join(stateDir, "runs");
  await ownDirectory(stateDir, "the state directory");
  await ownDirectory(runs, "the directory of runs");
  await removeStale(runs);
  const name = `${process.pid}-${await startTime(process.pid)}-${randomBytes(4).toString("hex")}`;
  const path = join(runs, name);
  await mkdir(path, { mode: 0o700 });
  return { path, remove: () => removeTree(path) };
}
