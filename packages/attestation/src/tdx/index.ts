export { tdxQuoteOf } from "./evidence.ts";
export type { TdxPolicy } from "./policy.ts";
export type { AcceptableTcbStatus } from "./tcb-status.ts";
export { tdx } from "./tee.ts";
