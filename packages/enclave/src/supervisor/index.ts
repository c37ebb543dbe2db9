export type { Clock } from "./clock.ts";
export { createSupervisor, type SupervisorOptions } from "./supervisor.ts";
