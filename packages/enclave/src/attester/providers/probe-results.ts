/** The three things that a look at a place can come to. */
import type { DeviceName, ProbeResult, TeeDevice } from "./device.ts";

/** Nothing is there. */
export function absent(device: DeviceName, reason: string): ProbeResult {
  return { report: { device, present: false, usable: false, reason }, found: null };
}

/** Something is there that gives no Evidence. */
export function unusable(device: DeviceName, error: unknown): ProbeResult {
  const reason = error instanceof Error ? error.message : "unknown error";
  return { report: { device, present: true, usable: false, reason }, found: null };
}

/** It gives Evidence. */
export function usable(device: DeviceName, found: TeeDevice): ProbeResult {
  return { report: { device, present: true, usable: true, reason: found.tee }, found };
}
