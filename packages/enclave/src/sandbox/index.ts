export { createSandbox } from "./create.ts";
export { forbidCoreDumps } from "./dumps.ts";
export { SandboxError, type SandboxErrorCode } from "./errors.ts";
export type { LimitsDescription } from "./limits/description.ts";
export type { LimitedSandbox } from "./sandbox.ts";
