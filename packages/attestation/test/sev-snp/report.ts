/** A writer of reports, from AMD's table of offsets and not from our reader, so that each field can be wrong. */
import { sign, type KeyObject } from "node:crypto";

export type Tcb = readonly [number, number, number, number, number, number, number, number];

/** Every field; bytes are written as they are. */
export interface ReportFields {
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly vmpl: number;
  readonly signatureAlgorithm: number;
  readonly currentTcb: Tcb;
  readonly platformInfo: bigint;
  readonly keyInfo: number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportIdMa: Uint8Array;
  readonly reportedTcb: Tcb;
  readonly cpuid: readonly [number, number, number];
  readonly chipId: Uint8Array;
  readonly committedTcb: Tcb;
  readonly launchTcb: Tcb;
  readonly mitigations: bigint;
}

export const SIGNED_LENGTH = 0x2a0;

export function unsignedReport(fields: ReportFields): Uint8Array {
  const report = new Uint8Array(1184);
  const view = new DataView(report.buffer);
  view.setUint32(0x000, fields.version, true);
  view.setUint32(0x004, fields.guestSvn, true);
  view.setBigUint64(0x008, fields.policy, true);
  view.setUint32(0x030, fields.vmpl, true);
  view.setUint32(0x034, fields.signatureAlgorithm, true);
  report.set(fields.currentTcb, 0x038);
  view.setBigUint64(0x040, fields.platformInfo, true);
  view.setUint32(0x048, fields.keyInfo, true);
  report.set(fields.reportData, 0x050);
  report.set(fields.measurement, 0x090);
  report.set(fields.hostData, 0x0c0);
  report.set(fields.idKeyDigest, 0x0e0);
  report.set(fields.authorKeyDigest, 0x110);
  report.fill(0x77, 0x140, 0x160);
  report.set(fields.reportIdMa, 0x160);
  report.set(fields.reportedTcb, 0x180);
  if (fields.version >= 3) report.set(fields.cpuid, 0x188);
  report.set(fields.chipId, 0x1a0);
  report.set(fields.committedTcb, 0x1e0);
  report.set([29, 55, 1, 0, 29, 55, 1, 0], 0x1e8);
  report.set(fields.launchTcb, 0x1f0);
  if (fields.version >= 5) {
    view.setBigUint64(0x1f8, fields.mitigations, true);
    view.setBigUint64(0x200, fields.mitigations, true);
  }
  return report;
}

/** Signs as the firmware does: r and s little-endian, 72 bytes each. */
export function signedReport(report: Uint8Array, privateKey: KeyObject): Uint8Array {
  const raw = sign("sha384", report.subarray(0, SIGNED_LENGTH), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const whole = report.slice();
  whole.set(raw.subarray(0, 48).toReversed(), 0x2a0);
  whole.set(raw.subarray(48).toReversed(), 0x2e8);
  return whole;
}
