/** The judges of every kind of TEE that there are cases for. */
import type { Judge } from "../case.ts";
import { judgeAzureVtpm } from "./azure-vtpm.ts";
import { judgeNitro } from "./nitro.ts";
import { judgeSevSnp } from "./sev-snp.ts";
import { judgeTdx } from "./tdx.ts";

/** By the folder of the cases. */
export const judges: Readonly<Record<string, Judge>> = {
  "azure-vtpm": judgeAzureVtpm,
  nitro: judgeNitro,
  "sev-snp": judgeSevSnp,
  tdx: judgeTdx,
};
