export type { PolicyChange } from "./change.ts";
export { policyDiff } from "./diff.ts";
