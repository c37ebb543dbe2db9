/** What both versions of control groups share. */
import { existsSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const CONTROLLERS = ["memory", "pids", "cpu"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** Where the hierarchies are; `name` is the directory to make in each. */
export interface ControlGroupPlace {
  /** Text of /proc/self/mounts. */
  readonly mounts: string;
  readonly name: string;
}

/** What one hierarchy yielded; `directory` exists then. */
export interface ControlGroup {
  readonly directory: string;
  readonly controllers: readonly Controller[];
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

/** One file of a group. An optional one is there only with some kernels' options. */
export interface LimitFile {
  readonly name: string;
  readonly value: string;
  readonly optional?: true;
}

/** Writes all limits, or removes the directory again and returns `false`. */
export function writeLimits(directory: string, files: readonly LimitFile[]): boolean {
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
