export { azureVtpm, type AzureVtpmOptions } from "./tee.ts";
export type { AzureVtpmPolicy } from "./policy.ts";
export { MICROSOFT_ID_KEYS } from "./roots.ts";
