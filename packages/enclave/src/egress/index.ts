export { createEgress, type EgressOptions } from "./create.ts";
export { EgressError, type EgressErrorCode } from "./errors.ts";
