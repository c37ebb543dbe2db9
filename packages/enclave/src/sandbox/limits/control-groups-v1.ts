/** One hierarchy a controller (Documentation/admin-guide/cgroup-v1). */
import { join } from "node:path";
import type { AppResources } from "../../parts.ts";
import {
  type ControlGroupPlace,
  CONTROLLERS,
  type Controller,
  hierarchies,
  type LimitFile,
  PERIOD,
  type PlannedGroup,
  quota,
} from "./control-group.ts";

/** One group for each controller that has a hierarchy of this version. */
export function planV1(resources: AppResources, { mounts, name }: ControlGroupPlace): PlannedGroup[] {
  const all = hierarchies(mounts, "cgroup");
  return CONTROLLERS.flatMap((controller) => {
    const hierarchy = all.find(({ options }) => options.includes(controller));
    if (!hierarchy) return [];
    const files = limitFiles(controller, resources);
    return [{ directory: join(hierarchy.path, name), controllers: [controller], files, prepare: () => {} }];
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
        { name: "cpu.cfs_quota_us", value: `${quota(cpus)}` },
      ];
  }
}
