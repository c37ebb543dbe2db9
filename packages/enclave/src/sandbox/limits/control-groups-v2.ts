/** The unified hierarchy (Documentation/admin-guide/cgroup-v2.rst). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppResources } from "../../parts.ts";
import {
  type ControlGroupPlace,
  type Controller,
  hierarchies,
  type LimitFile,
  PERIOD,
  type PlannedGroup,
  quota,
} from "./control-group.ts";

/** Where everything goes that sat in the root of our view: a group that hands out controllers may hold no process. */
const BOX_GROUP = "blindbox-box";

/** One group with as many of `wanted` as the hierarchy offers; `null` where it offers none. */
export function planV2(
  resources: AppResources,
  wanted: readonly Controller[],
  { mounts, name }: ControlGroupPlace,
): PlannedGroup | null {
  const root = hierarchies(mounts, "cgroup2")[0]?.path;
  if (root === undefined || !existsSync(join(root, OFFER))) return null;
  const offered = readWords(join(root, OFFER));
  const controllers = wanted.filter((controller) => offered.includes(controller));
  if (controllers.length === 0) return null;
  const files = controllers.flatMap((controller) => limitFiles(controller, resources));
  return { directory: join(root, name), controllers, files, prepare: () => handOut(root, controllers) };
}

const OFFER = "cgroup.controllers";

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
      return [{ name: "cpu.max", value: `${quota(cpus)} ${PERIOD}` }];
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
