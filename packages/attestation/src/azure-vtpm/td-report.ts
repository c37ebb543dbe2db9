/**
 * Parse: the TDREPORT inside an HCL report (Intel TDX module ABI, TDREPORT_STRUCT). Its MAC can be checked on the machine that
 * made it and nowhere else, so it proves nothing: what it says counts where a TD quote says the same.
 */
import { ByteReader, toHex } from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";

/** Length of the structure. */
export const TD_REPORT_LENGTH = 1024;

/** What a TDREPORT says, in lower-case hex under the names that the quote's fields have, and the two digests over it. */
export interface TdReport {
  readonly reportData: string;
  /** Every other field that a quote of TDX 1.0 has too. */
  readonly shared: Readonly<Record<string, string>>;
  /** Fields that a quote has only from TDX 1.5 on. */
  readonly added: Readonly<Record<string, string>>;
  /** SHA-384 of {@link TdReport.tcbInfo}, and of {@link TdReport.tdInfo}, as the structure says. */
  readonly tcbInfoHash: Uint8Array;
  readonly tdInfoHash: Uint8Array;
  readonly tcbInfo: Uint8Array;
  readonly tdInfo: Uint8Array;
}

const tdxType = 0x81;
const tcbInfoLength = 239;
const tdInfoLength = 512;

/** @throws EvidenceError or EncodingError for another kind or version, and for reserved bytes that are set. */
export function parseTdReport(bytes: Uint8Array): TdReport {
  const reader = new ByteReader(bytes, "tdReport");
  readType(reader);
  reader.mustBeZero(12, "reserved");
  // CPUSVN: no quote repeats it for the TD, so nothing is derived from it.
  reader.bytes(16, "cpuSvn");
  const tcbInfoHash = reader.bytes(48, "tcbInfoHash");
  const tdInfoHash = reader.bytes(48, "tdInfoHash");
  const reportData = toHex(reader.bytes(64, "reportData"));
  reader.mustBeZero(32, "reserved");
  reader.bytes(32, "mac");
  const tcbInfo = reader.bytes(tcbInfoLength, "tcbInfo");
  reader.mustBeZero(17, "reserved");
  const tdInfo = reader.bytes(tdInfoLength, "tdInfo");
  reader.end();
  const { teeTcbSvn2, ...module } = readTcbInfo(tcbInfo);
  const { mrservicetd, ...td } = readTdInfo(tdInfo);
  const hashes = { tcbInfoHash, tdInfoHash, tcbInfo, tdInfo };
  return { reportData, shared: { ...module, ...td }, added: { teeTcbSvn2, mrservicetd }, ...hashes };
}

function readType(reader: ByteReader): void {
  const type = reader.u8("type");
  if (type !== tdxType) throw new EvidenceError("wrong-tee-type", "tdReport.type", `${tdxType}`, `${type}`);
  reader.mustBeZero(1, "subtype");
  const version = reader.u8("version");
  if (version > 1) throw new EvidenceError("unsupported-version", "tdReport.version", "0 or 1", `${version}`);
  reader.mustBeZero(1, "reserved");
}

function readTcbInfo(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, "tdReport.tcbInfo");
  // Which of the fields are filled in: those that are not are zero, as in the quote.
  reader.bytes(8, "valid");
  const hex = (length: number, field: string): string => toHex(reader.bytes(length, field));
  const info = {
    teeTcbSvn: hex(16, "teeTcbSvn"),
    mrseam: hex(48, "mrseam"),
    mrsignerseam: hex(48, "mrsignerseam"),
    seamAttributes: hex(8, "seamAttributes"),
    teeTcbSvn2: hex(16, "teeTcbSvn2"),
  };
  reader.mustBeZero(reader.remaining, "reserved");
  return info;
}

function readTdInfo(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, "tdReport.tdInfo");
  const hex = (length: number, field: string): string => toHex(reader.bytes(length, field));
  const info = {
    tdAttributes: hex(8, "tdAttributes"),
    xfam: hex(8, "xfam"),
    mrtd: hex(48, "mrtd"),
    mrconfigid: hex(48, "mrconfigid"),
    mrowner: hex(48, "mrowner"),
    mrownerconfig: hex(48, "mrownerconfig"),
    rtmr0: hex(48, "rtmr0"),
    rtmr1: hex(48, "rtmr1"),
    rtmr2: hex(48, "rtmr2"),
    rtmr3: hex(48, "rtmr3"),
    mrservicetd: hex(48, "mrservicetd"),
  };
  reader.mustBeZero(reader.remaining, "reserved");
  return info;
}
