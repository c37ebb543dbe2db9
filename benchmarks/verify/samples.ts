/** Real Evidence for the benchmark, read from the conformance cases: one accepted case a TEE. */
import { join } from "node:path";
import { openCase, type OpenCase } from "../../conformance/case.ts";
import { vectorsFolder } from "../../conformance/vectors.ts";

/** The cases that are measured. */
export interface Samples {
  readonly snp: OpenCase;
  readonly tdx: OpenCase;
  readonly nitro: OpenCase;
  /** The one with a public key in it, which Evervault's verifier needs. */
  readonly keyed: OpenCase;
}

/** @throws Error where the vectors are absent: without real Evidence there is nothing to compare. */
export function readSamples(): Samples {
  const folder = vectorsFolder();
  if (folder === null) throw new Error("no vectors: set BLINDBOX_VECTORS");
  const open = (path: string): OpenCase => openCase(join(folder, "cases", path));
  return {
    snp: open("sev-snp/005-genoa-v3-aci-ms.json"),
    tdx: open("tdx/001-v4-phala.json"),
    nitro: open("nitro/018-prod-base-2024.json"),
    keyed: open("nitro/022-debug-evervault-ga-2023.json"),
  };
}
