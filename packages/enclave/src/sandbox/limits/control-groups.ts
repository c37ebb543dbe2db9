/**
 * Control groups: limits for the application as a whole, which only the host's root can set. Both versions may be mounted
 * at once, each with some of the controllers.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { AppResources } from "../../parts.ts";
import { type ControlGroupPlace, CONTROLLERS, type Controller } from "./control-group.ts";
import { employJanitor } from "./janitor.ts";
import { createV1 } from "./control-groups-v1.ts";
import { createV2 } from "./control-groups-v2.ts";

export interface ControlGroups {
  /** Those whose limits are in force. */
  readonly controllers: ReadonlySet<Controller>;
  /** Files that take in who writes to them. */
  readonly entrances: readonly string[];
  /** Resolves when all are gone; whatever was in them must be dead. */
  remove(): Promise<void>;
}

/** bubblewrap and its reaper count as processes too. */
const COMPANIONS = 2;

/** Makes what can be made. Where a controller cannot be had, its limit is not in the result, and nothing else fails. */
export function createControlGroups(
  resources: AppResources,
  scratch: string,
  place: ControlGroupPlace = ourPlace(),
): ControlGroups {
  const wanted = { ...resources, processes: resources.processes + COMPANIONS };
  const v1 = createV1(wanted, place);
  const missing = CONTROLLERS.filter((controller) => !v1.some(({ controllers }) => controllers.includes(controller)));
  const v2 = missing.length === 0 ? null : createV2(wanted, missing, place);
  const groups = v2 ? [...v1, v2] : v1;
  const directories = groups.map(({ directory }) => directory);
  const janitor = employJanitor(scratch, directories);
  return {
    controllers: new Set(groups.flatMap(({ controllers }) => controllers)),
    entrances: directories.map((directory) => join(directory, "cgroup.procs")),
    remove: () => removeAll(directories).finally(() => janitor.dismiss()),
  };
}

export const NO_CONTROL_GROUPS: ControlGroups = {
  controllers: new Set<Controller>(),
  entrances: [],
  remove: () => Promise.resolve(),
};

function ourPlace(): ControlGroupPlace {
  return {
    mounts: readFileSync("/proc/self/mounts", "latin1"),
    name: `blindbox-${process.pid}-${randomUUID().slice(0, 8)}`,
  };
}

/** Milliseconds between attempts, and their number: the kernel frees a dead process's membership a moment later. */
const RETRY_AFTER = 20;
const RETRIES = 100;

async function removeAll(directories: readonly string[]): Promise<void> {
  for (const directory of directories) await remove(directory);
}

async function remove(directory: string): Promise<void> {
  for (let attempt = 0; attempt < RETRIES; attempt += 1) {
    try {
      return rmdirSync(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      await delay(RETRY_AFTER);
    }
  }
}
