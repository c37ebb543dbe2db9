/** Hardware for which exposure can be told: the kinds of TEE that a box can run in. */
export type ExposureTarget = "sev-snp" | "tdx" | "nitro" | "azure-vtpm" | "simulated";

/** Every target. */
export const EXPOSURE_TARGETS: readonly ExposureTarget[] = ["sev-snp", "tdx", "nitro", "azure-vtpm", "simulated"];

/** Somebody who sees something. */
export type Observer = "host" | "silicon" | "vendor" | "network" | "destination" | "visitor" | "caller" | "auditor";

/** What one observer sees. */
export interface Exposure {
  readonly observer: Observer;
  /** Who that is, in words. */
  readonly who: string;
  readonly sees: readonly Sight[];
}

/** One thing that is seen. */
export interface Sight {
  /** In words, without a full stop. */
  readonly what: string;
  /** The member of the Manifest that lets it be seen, by path; or `always`, where none can change it. */
  readonly because: string;
}

/** What no Manifest changes. */
export const ALWAYS = "always";

/** A sight that is there only where the Manifest says so. */
export function where(isSo: boolean, what: string, because: string): readonly Sight[] {
  return isSo ? [{ what, because }] : [];
}
