export { tdxQuoteOf, tdxReportOf } from "./evidence.ts";
export type { TdxPolicy } from "./policy.ts";
export type { AcceptableTcbStatus } from "./tcb-status.ts";
export type { TdReport as TdxReport } from "./td-report.ts";
export { tdx } from "./tee.ts";
