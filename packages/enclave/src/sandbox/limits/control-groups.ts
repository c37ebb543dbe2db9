/**
 * Control groups: limits for the application as a whole, which only the host's root can set. Both versions may be mounted
 * at once, each with some of the controllers.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { AppResources } from "../../parts.ts";
import { type ControlGroupPlace, CONTROLLERS, type Controller, makeGroup, type PlannedGroup } from "./control-group.ts";
import { planV1 } from "./control-groups-v1.ts";
import { planV2 } from "./control-groups-v2.ts";
import { employJanitor, type Janitor } from "./janitor.ts";

export interface ControlGroups {
  /** Those whose limits are in force. */
  readonly controllers: ReadonlySet<Controller>;
  /** Files that take in who writes to them. */
  readonly entrances: readonly string[];
  /** Resolves when all are gone, or left to the janitor; whatever was in them must be dead. */
  remove(): Promise<void>;
}

/** bubblewrap and its reaper count as processes too. */
const COMPANIONS = 2;

/** Makes what can be made. Where a controller cannot be had, its limit is not in the result, and nothing else fails. */
export function createControlGroups(resources: AppResources, scratch: string): ControlGroups {
  const planned = planAll({ ...resources, processes: resources.processes + COMPANIONS }, ourPlace());
  if (planned.length === 0) return NO_CONTROL_GROUPS;
  // Before the first directory is there: whoever kills us in between shall leave none.
  const first = employJanitor(scratch, directoriesOf(planned));
  const made = planned.filter(makeGroup);
  const janitor = made.length === planned.length ? first : replace(first, scratch, made);
  const directories = directoriesOf(made);
  return {
    controllers: new Set(made.flatMap(({ controllers }) => controllers)),
    entrances: directories.map((directory) => join(directory, "cgroup.procs")),
    remove: async () => {
      if (await removeAll(directories)) janitor.dismiss();
    },
  };
}

function planAll(resources: AppResources, place: ControlGroupPlace): PlannedGroup[] {
  const v1 = planV1(resources, place);
  const missing = CONTROLLERS.filter((controller) => !v1.some(({ controllers }) => controllers.includes(controller)));
  const v2 = missing.length === 0 ? null : planV2(resources, missing, place);
  return v2 ? [...v1, v2] : v1;
}

function directoriesOf(groups: readonly PlannedGroup[]): string[] {
  return groups.map(({ directory }) => directory);
}

// A janitor stops when the last of its directories is gone, so it must know which of them exist.
function replace(janitor: Janitor, scratch: string, made: readonly PlannedGroup[]): Janitor {
  const next = employJanitor(scratch, directoriesOf(made));
  janitor.dismiss();
  return next;
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

async function removeAll(directories: readonly string[]): Promise<boolean> {
  const removed = await Promise.all(directories.map(remove));
  return removed.every(Boolean);
}

async function remove(directory: string): Promise<boolean> {
  for (let attempt = 0; attempt < RETRIES; attempt += 1) {
    try {
      rmdirSync(directory);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
      await delay(RETRY_AFTER);
    }
  }
  return false;
}
