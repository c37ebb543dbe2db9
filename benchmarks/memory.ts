/** Memory of processes, as Linux counts it. */
import { readFile } from "node:fs/promises";

/** Bytes. */
export interface Memory {
  /** The process's own: its heaps and stacks. */
  readonly own: number;
  /** Of files, which processes of the same program share. */
  readonly files: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "latin1").catch(() => "");
  const bytes = (field: string): number =>
    1024 * Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  const own = bytes("Anonymous");
  return { own, files: bytes("Rss") - own };
}

/** Of several processes together, where all but a little of the files is one program that all of them run. */
export function together(memories: readonly Memory[]): number {
  const own = memories.reduce((sum, memory) => sum + memory.own, 0);
  return own + Math.max(0, ...memories.map(({ files }) => files));
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
