export { azureUvm } from "./endorser.ts";
export { parseUvmEndorsement, type UvmEndorsement } from "./evidence.ts";
