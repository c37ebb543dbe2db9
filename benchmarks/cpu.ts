/** What a process costs, whoever started it. */
import { readdir, readFile } from "node:fs/promises";

/** CPU time of a process's whole life in microseconds. Linux. */
export async function cpuOf(pid: number): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`);
  // Nanoseconds on a CPU, as the scheduler counted them: clock ticks of 10 ms would be too coarse.
  const spent = tasks.map((task) => readFile(`/proc/${pid}/task/${task}/schedstat`, "latin1").catch(() => "0"));
  return (await Promise.all(spent)).reduce((sum, text) => sum + Number(text.split(" ")[0]) / 1000, 0);
}

/** Everything below a process, itself included. */
export async function processTree(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, "latin1").catch(() => "") : "";
    const parent = /\) \S (\d+)/.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const below = (each: number): number[] => [
    each,
    ...[...parents].filter(([, parent]) => parent === each).flatMap(([child]) => below(child)),
  ];
  return below(pid);
}

/** The arguments of a process, separated by zero bytes; empty where it is gone. */
export function commandLine(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
}
