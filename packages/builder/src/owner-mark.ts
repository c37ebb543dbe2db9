/** Which process made something: what a killed one left behind can be told from what a living one uses. */
import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";

/** When a process started, in the kernel's ticks: with the pid it names one process for as long as the machine is up. */
export async function startTime(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => null);
  // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

/** True only where the process is surely gone: nobody has its pid, or another process has it now. */
export async function isGone(pid: number, started: string): Promise<boolean> {
  const now = await startTime(pid);
  return now === null ? isFree(pid) : now !== started;
}

/** Where /proc hides the processes of others, the kernel still tells a pid that is taken from one that is free. */
function isFree(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EPERM";
  }
}

/** Tells apart machines, their boots and their containers: a pid means something within one only. Null where none can be had. */
async function pidSpace(): Promise<string | null> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "latin1");
    const space = await readlink("/proc/self/ns/pid");
    return createHash("sha256").update(`${boot}${space}`).digest("hex").slice(0, 16);
  } catch {
    return null;
  }
}

/** This process in a file name; null where the machine does not say enough. */
export async function ownMark(): Promise<string | null> {
  const [space, started] = [await pidSpace(), await startTime(process.pid)];
  return space === null || started === null ? null : `${space}-${process.pid}-${started}`;
}

/** Whether a mark is that of a process of this very machine, boot and container, and that process is gone. */
export async function isAbandoned(mark: string): Promise<boolean> {
  const [, space, pid, started] = /^([0-9a-f]{16})-([1-9]\d*)-(\d+)$/.exec(mark) ?? [];
  if (pid === undefined || started === undefined || space !== (await pidSpace())) return false;
  return isGone(Number(pid), started);
}
