/** The bytes of an HCL report and of what stands in it, by Azure's table of offsets, so that each field can be wrong. */
import { createHash } from "node:crypto";

export const u32le = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** What to write differently; everything else is right. */
export interface HclChange {
  readonly magic?: string;
  readonly version?: number;
  readonly reportSize?: (right: number) => number;
  readonly requestType?: number;
  readonly status?: number;
  readonly reserved?: Uint8Array;
  readonly areaPadding?: Uint8Array;
  readonly dataSize?: (right: number) => number;
  readonly dataVersion?: number;
  readonly reportType?: number;
  readonly hashType?: number;
  readonly runtimeDataSize?: (right: number) => number;
  /** Bytes behind the runtime data; by default zeros up to the size of the NV index. */
  readonly padding?: Uint8Array;
  /** Changes the whole report at last. */
  readonly hclReport?: (bytes: Uint8Array) => Uint8Array;
}

const same = <T>(right: T): T => right;
const nvIndexLength = 2600;

/** `hardwareReport` has 1184 bytes, or 1024 with its padding behind. */
export function hclReport(hardwareReport: Uint8Array, runtimeData: Uint8Array, change: HclChange): Uint8Array {
  const area = Buffer.alloc(1184);
  area.set(hardwareReport);
  if (change.areaPadding !== undefined) area.set(change.areaPadding, 1024);
  const size = (change.runtimeDataSize ?? same)(runtimeData.length);
  const written = Buffer.concat([
    Buffer.from(change.magic ?? "HCLA"),
    u32le(change.version ?? 2),
    u32le((change.reportSize ?? same)(1216 + 20 + runtimeData.length)),
    u32le(change.requestType ?? 2),
    u32le(change.status ?? 0),
    change.reserved ?? Buffer.alloc(12),
    area,
    u32le((change.dataSize ?? same)(20 + runtimeData.length)),
    u32le(change.dataVersion ?? 1),
    u32le(change.reportType ?? (hardwareReport.length === 1184 ? 2 : 4)),
    u32le(change.hashType ?? 1),
    u32le(size),
    runtimeData,
  ]);
  const padding = change.padding ?? Buffer.alloc(Math.max(0, nvIndexLength - written.length));
  return (change.hclReport ?? same)(new Uint8Array(Buffer.concat([written, padding])));
}

/** The fields of a TDREPORT, each written as it is. */
export interface TdReportFields {
  readonly type: Uint8Array;
  readonly reserved: Uint8Array;
  readonly cpuSvn: Uint8Array;
  /** `null`: the right digests. */
  readonly tcbInfoHash: Uint8Array | null;
  readonly tdInfoHash: Uint8Array | null;
  readonly reportData: Uint8Array;
  readonly reservedBehind: Uint8Array;
  readonly mac: Uint8Array;
  readonly valid: Uint8Array;
  readonly teeTcbSvn: Uint8Array;
  readonly mrseam: Uint8Array;
  readonly mrsignerseam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly teeTcbSvn2: Uint8Array;
  readonly tcbInfoReserved: Uint8Array;
  readonly between: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrtd: Uint8Array;
  readonly mrconfigid: Uint8Array;
  readonly mrowner: Uint8Array;
  readonly mrownerconfig: Uint8Array;
  readonly rtmrs: Uint8Array;
  readonly mrservicetd: Uint8Array;
  readonly tdInfoReserved: Uint8Array;
}

export function tdReport(fields: TdReportFields): Uint8Array {
  const { valid, teeTcbSvn, mrseam, mrsignerseam, seamAttributes, teeTcbSvn2, tcbInfoReserved } = fields;
  const module = [valid, teeTcbSvn, mrseam, mrsignerseam, seamAttributes, teeTcbSvn2, tcbInfoReserved];
  const tcbInfo = Buffer.concat(module);
  const { tdAttributes, xfam, mrtd, mrconfigid, mrowner, mrownerconfig, rtmrs, mrservicetd, tdInfoReserved } = fields;
  const td = [tdAttributes, xfam, mrtd, mrconfigid, mrowner, mrownerconfig, rtmrs, mrservicetd, tdInfoReserved];
  const tdInfo = Buffer.concat(td);
  return Buffer.concat([
    fields.type,
    fields.reserved,
    fields.cpuSvn,
    fields.tcbInfoHash ?? sha384(tcbInfo),
    fields.tdInfoHash ?? sha384(tdInfo),
    fields.reportData,
    fields.reservedBehind,
    fields.mac,
    tcbInfo,
    fields.between,
    tdInfo,
  ]);
}

function sha384(bytes: Uint8Array): Uint8Array {
  return createHash("sha384").update(bytes).digest();
}
