/** Which TEE's device there is on this machine. */
import type { DeviceProbe, DeviceReport, TeeDevice } from "./device.ts";

/** What was found, in the order in which it was looked for. */
export interface Detection {
  /** Null where no device can be used. */
  readonly found: TeeDevice | null;
  /** All places that were looked at: those after the first usable one were not. */
  readonly reports: readonly DeviceReport[];
}

/**
 * Looks at one place after the other, and stops at the first usable device: where a machine has two, the order decides. Never
 * rejects where the probes keep their contract.
 */
export async function detectDevice(probes: readonly DeviceProbe[]): Promise<Detection> {
  const reports: DeviceReport[] = [];
  for (const probe of probes) {
    const { report, found } = await probe.look();
    reports.push(report);
    if (found !== null) return { found, reports };
  }
  return { found: null, reports };
}

/** The reports in words, for whoever wonders why the box does not start. */
export function describeReports(reports: readonly DeviceReport[]): string {
  return reports
    .map(({ device, present, reason }) => `${device}: ${present ? "cannot be used, " : ""}${reason}`)
    .join("; ");
}
