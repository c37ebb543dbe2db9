/** Intel's words for how a TCB stands, and how those of several parts become one. */

/** What Intel's signed texts say of one level. */
export const TCB_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
] as const;

/** One of {@link TCB_STATUSES}. */
export type LevelStatus = (typeof TCB_STATUSES)[number];

/** What a policy may accept: every status but `Revoked`, and the two that a relaunch of the TD would cure. */
export const ACCEPTABLE_TCB_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
] as const;

/** One of {@link ACCEPTABLE_TCB_STATUSES}. */
export type AcceptableTcbStatus = (typeof ACCEPTABLE_TCB_STATUSES)[number];

/** The status of a whole TD. */
export type TcbStatus = AcceptableTcbStatus | "Revoked";

/** Whether the part's configuration is wrong, whatever else is. */
export function needsConfiguration(status: TcbStatus): boolean {
  return /Configuration/.test(status);
}

/** Whether the part is out of date. */
export function isOutOfDate(status: TcbStatus): boolean {
  return status === "OutOfDate" || status === "OutOfDateConfigurationNeeded";
}

/**
 * The status of a whole whose parts have these: what any part lacks, the whole lacks. Out of date outweighs software
 * hardening, since the update brings that too; `Revoked` outweighs everything.
 */
export function worstOf(statuses: readonly LevelStatus[]): LevelStatus {
  if (statuses.includes("Revoked")) return "Revoked";
  const configuration = statuses.some(needsConfiguration);
  if (statuses.some(isOutOfDate)) return configuration ? "OutOfDateConfigurationNeeded" : "OutOfDate";
  const hardening = statuses.some((status) => /SWHardening/.test(status));
  if (hardening) return configuration ? "ConfigurationAndSWHardeningNeeded" : "SWHardeningNeeded";
  return configuration ? "ConfigurationNeeded" : "UpToDate";
}
