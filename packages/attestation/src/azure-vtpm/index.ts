export { azureVtpm, type AzureVtpmOptions } from "./tee.ts";
export type { AzureVtpmPolicy } from "./policy.ts";
export { MICROSOFT_ID_KEYS } from "./roots.ts";
export { AZURE_EVIDENCE_TYPE, formatAzureEvidence, type AzureEvidenceParts } from "./document.ts";
export { parseHclReport, type HclReport, type HclReportType } from "./hcl-report.ts";
export { parseRuntimeData, type RuntimeData } from "./runtime-data.ts";
export { parseTdReport as parseTdReportStructure, type TdReport as TdReportStructure } from "./td-report.ts";
export { parseTpmQuote, type TpmClock, type TpmQuote } from "./tpm-quote.ts";
