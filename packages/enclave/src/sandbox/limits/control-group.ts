/** What both versions of control groups share. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const CONTROLLERS = ["memory", "pids", "cpu"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** Where the hierarchies are; `name` is the directory to make in each. */
export interface ControlGroupPlace {
  /** Text of /proc/self/mounts. */
  readonly mounts: string;
  readonly name: string;
}

/** One file of a group. An optional one is there only with some kernels' options. */
export interface LimitFile {
  readonly name: string;
  readonly value: string;
  readonly optional?: true;
}

/** A group that could be made in one hierarchy. */
export interface PlannedGroup {
  readonly directory: string;
  readonly controllers: readonly Controller[];
  readonly files: readonly LimitFile[];
  /** What the hierarchy needs first. */
  readonly prepare: () => void;
}

/** Mount points of one kind of hierarchy, with their options. */
export function hierarchies(
  mounts: string,
  type: "cgroup" | "cgroup2",
): { path: string; options: readonly string[] }[] {
  const rows = mounts.split("\n").map((row) => row.split(" "));
  const found = rows.filter(([, , kind]) => kind === type);
  return found.map(([, path = "", , options = ""]) => ({ path, options: options.split(",") }));
}

/** Makes the directory and writes all limits, or leaves nothing and returns `false`. */
export function makeGroup({ directory, files, prepare }: PlannedGroup): boolean {
  try {
    prepare();
    mkdirSync(directory);
  } catch {
    return false;
  }
  try {
    for (const { name, value, optional } of files) {
      if (!optional || existsSync(join(directory, name))) writeFileSync(join(directory, name), value);
    }
    return true;
  } catch {
    rmdirSync(directory);
    return false;
  }
}

/** Microseconds over which processor time is counted. */
export const PERIOD = 100_000;

/** Microseconds in each period, for thousandths of a processor; the kernel takes no less than 1000. */
export function quota(cpus: number): number {
  return Math.max(1000, (cpus * PERIOD) / 1000);
}
