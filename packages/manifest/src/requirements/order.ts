import type { Logs, Metrics, Operations } from "../manifest.ts";

/** From the least to the most that leaves the box as a log. */
export const LOGS: readonly Logs[] = ["none", "metadata", "app"];

/** From the least to the most that whoever runs the box can count. */
export const METRICS: readonly Metrics[] = ["none", "coarse"];

/** From the least to the most that the application can say through its health. */
export const HEALTH: readonly Operations["health"][] = ["live", "ready"];
