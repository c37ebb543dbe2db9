/** Which of the Manifest's limits are in force, and how: said as it is, since a driver may not be able to do better. */
import type { ControlGroups } from "./control-groups.ts";

export interface LimitsDescription {
  /** `control-group`: for the application as a whole; `per-process`: for each of its processes, and far above the limit. */
  readonly memory: "control-group" | "per-process";
  /** Both hold for the application as a whole. */
  readonly processes: "control-group" | "resource-limit";
  readonly cpus: "control-group" | "none";
  /** The size of each writable directory. */
  readonly tmp: "tmpfs";
}

export function describeLimits({ controllers }: ControlGroups): LimitsDescription {
  return {
    memory: controllers.has("memory") ? "control-group" : "per-process",
    processes: controllers.has("pids") ? "control-group" : "resource-limit",
    cpus: controllers.has("cpu") ? "control-group" : "none",
    tmp: "tmpfs",
  };
}
