/** What a sandbox could leave behind on this machine. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Leftovers {
  /** Living processes among those asked for; a zombie holds nothing any more. */
  readonly processes: readonly number[];
  /** Network and user namespaces among those asked for that some process still is in. */
  readonly namespaces: readonly string[];
  readonly controlGroups: readonly string[];
}

/** A process and all below it, by parentage. */
export function familyOf(pid: number): number[] {
  const parents = new Map(allProcesses().map((process) => [process, parentOf(process)]));
  const family = [pid];
  for (const member of family) {
    for (const [process, parent] of parents) if (parent === member) family.push(process);
  }
  return family;
}

/** The gate's program among the descendants of a box. */
export function gateOf(box: number): number {
  const gate = familyOf(box).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("gate/main"));
  return gate ?? Number.NaN;
}

/** The first process of the application's pid namespace. */
export function reaperOf(box: number): number {
  const bubblewrap = familyOf(box).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("bwrap"));
  return Number(readFileSync(`/proc/${bubblewrap}/task/${bubblewrap}/children`, "latin1").trim());
}

export function namespacesOf(processes: readonly number[]): Set<string> {
  return new Set(
    processes.flatMap((pid) => [namespaceOf(pid, "net"), namespaceOf(pid, "user")]).filter((name) => name !== ""),
  );
}

export function leftoversOf(box: number, processes: readonly number[], namespaces: ReadonlySet<string>): Leftovers {
  const inUse = namespacesOf(allProcesses().filter(isAlive));
  return {
    processes: processes.filter(isAlive),
    namespaces: [...namespaces].filter((name) => inUse.has(name)),
    controlGroups: controlGroupsOf(box),
  };
}

export function controlGroupsOf(box: number): string[] {
  const roots = ["memory", "pids", "cpu", "unified", "."].map((name) => `/sys/fs/cgroup/${name}`);
  const all = roots.filter((root) => existsSync(root)).flatMap((root) => readdirSync(root));
  return all.filter((name) => name.startsWith(`blindbox-${box}-`));
}

export function hostMounts(): string {
  return readFileSync("/proc/self/mountinfo", "latin1");
}

function isAlive(pid: number): boolean {
  return !["", "Z", "X"].includes(fieldOf(pid, "State").slice(0, 1));
}

function parentOf(pid: number): number {
  return Number(fieldOf(pid, "PPid"));
}

function fieldOf(pid: number, name: string): string {
  try {
    return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "";
  } catch {
    return "";
  }
}

function namespaceOf(pid: number, kind: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return "";
  }
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
