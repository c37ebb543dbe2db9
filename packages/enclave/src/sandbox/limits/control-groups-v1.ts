/** One hierarchy a controller (Documentation/admin-guide/cgroup-v1). */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AppResources } from "../../parts.ts";
import {
  type ControlGroup,
  type ControlGroupPlace,
  CONTROLLERS,
  type Controller,
  hierarchies,
  type LimitFile,
  writeLimits,
} from "./control-group.ts";

/** Microseconds over which processor time is counted. */
const PERIOD = 100_000;

/** One group for each controller that has a hierarchy of this version in which we may write. */
export function createV1(resources: AppResources, { mounts, name }: ControlGroupPlace): ControlGroup[] {
  const all = hierarchies(mounts, "cgroup");
  return CONTROLLERS.flatMap((controller) => {
    const hierarchy = all.find(({ options }) => options.includes(controller));
    if (!hierarchy) return [];
    const directory = join(hierarchy.path, name);
    const limited = make(directory) && writeLimits(directory, limitFiles(controller, resources));
    return limited ? [{ directory, controllers: [controller] }] : [];
  });
}

function limitFiles(controller: Controller, { memory, processes, cpus }: AppResources): LimitFile[] {
  switch (controller) {
    case "memory":
      // With swap counted in: else a limit on memory would only move the rest to the disk.
      return [
        { name: "memory.limit_in_bytes", value: `${memory}` },
        { name: "memory.memsw.limit_in_bytes", value: `${memory}`, optional: true },
      ];
    case "pids":
      return [{ name: "pids.max", value: `${processes}` }];
    case "cpu":
      return [
        { name: "cpu.cfs_period_us", value: `${PERIOD}` },
        { name: "cpu.cfs_quota_us", value: `${(cpus * PERIOD) / 1000}` },
      ];
  }
}

function make(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
