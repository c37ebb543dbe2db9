/** The unified hierarchy (Documentation/admin-guide/cgroup-v2.rst). */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppResources } from "../../parts.ts";
import {
  type ControlGroup,
  type ControlGroupPlace,
  type Controller,
  hierarchies,
  type LimitFile,
  writeLimits,
} from "./control-group.ts";

/** Microseconds over which processor time is counted. */
const PERIOD = 100_000;

/** Where everything goes that sat in the root of our view: a group that hands out controllers may hold no process. */
const BOX_GROUP = "blindbox-box";

/** One group with as many of `wanted` as the hierarchy offers; `null` where there is none in which we may write. */
export function createV2(
  resources: AppResources,
  wanted: readonly Controller[],
  { mounts, name }: ControlGroupPlace,
): ControlGroup | null {
  const root = hierarchies(mounts, "cgroup2")[0]?.path;
  if (root === undefined) return null;
  try {
    const offered = readWords(join(root, "cgroup.controllers"));
    const controllers = wanted.filter((controller) => offered.includes(controller));
    if (controllers.length === 0) return null;
    handOut(root, controllers);
    const directory = join(root, name);
    mkdirSync(directory);
    const files = controllers.flatMap((controller) => limitFiles(controller, resources));
    return writeLimits(directory, files) ? { directory, controllers } : null;
  } catch {
    return null;
  }
}

function limitFiles(controller: Controller, { memory, processes, cpus }: AppResources): LimitFile[] {
  switch (controller) {
    case "memory":
      return [
        { name: "memory.max", value: `${memory}` },
        { name: "memory.swap.max", value: "0", optional: true },
        { name: "memory.oom.group", value: "1", optional: true },
      ];
    case "pids":
      return [{ name: "pids.max", value: `${processes}` }];
    case "cpu":
      return [{ name: "cpu.max", value: `${(cpus * PERIOD) / 1000} ${PERIOD}` }];
  }
}

function handOut(root: string, controllers: readonly Controller[]): void {
  const switchFile = join(root, "cgroup.subtree_control");
  const enabled = readWords(switchFile);
  if (controllers.every((controller) => enabled.includes(controller))) return;
  const text = controllers.map((controller) => `+${controller}`).join(" ");
  try {
    writeFileSync(switchFile, text);
  } catch (error) {
    // EBUSY: the root of our view is not the machine's root, and we ourselves sit in it.
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    moveOut(root);
    writeFileSync(switchFile, text);
  }
}

function moveOut(root: string): void {
  mkdirSync(join(root, BOX_GROUP), { recursive: true });
  for (const pid of readWords(join(root, "cgroup.procs"))) writeFileSync(join(root, BOX_GROUP, "cgroup.procs"), pid);
}

function readWords(path: string): string[] {
  return readFileSync(path, "latin1")
    .split(/\s+/)
    .filter((word) => word !== "");
}
