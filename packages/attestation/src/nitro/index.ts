export { parseNitroDocument, type NitroDocument } from "./evidence.ts";
export type { NitroPolicy, PcrRule } from "./policy.ts";
export { nitro } from "./tee.ts";
