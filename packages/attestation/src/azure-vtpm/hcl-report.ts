/** Parse: the HCL report, which the paravisor keeps in NV index 0x01400001 of its virtual TPM. No trust. */
import { ByteReader, toHex, type DigestName } from "@blindbox/encoding";
import { EvidenceError } from "../evidence-error.ts";
import type { FailureCode } from "../failure-codes.ts";
import { TD_REPORT_LENGTH } from "./td-report.ts";

/** The hardware below: what made the report inside. */
export type HclReportType = "snp" | "tdx";

/** The parts of an HCL report. Of its header and of the sizes nothing is authenticated; each must be as known all the same. */
export interface HclReport {
  readonly version: 1 | 2;
  readonly reportType: HclReportType;
  /** What the hardware's report data hold of {@link HclReport.runtimeData}. */
  readonly hash: DigestName;
  /** An SEV-SNP report of 1184 bytes, or a TDREPORT of 1024. */
  readonly hardwareReport: Uint8Array;
  /** JSON in exactly these bytes: they are what is hashed. */
  readonly runtimeData: Uint8Array;
}

/** The NV index has 2600 bytes, older ones have 2048. */
const maxReportBytes = 8 * 1024;

/** "HCLA", as it stands in the bytes. */
const magic = 0x48_43_4c_41;
const headerLength = 32;
const hardwareAreaLength = 1184;
const dataHeaderLength = 20;
const attestationRequest = 2;
const dataVersion = 1;

const reportTypes: ReadonlyMap<number, HclReportType> = new Map([
  [2, "snp"],
  [4, "tdx"],
]);

const hashes: ReadonlyMap<number, DigestName> = new Map([
  [1, "SHA-256"],
  [2, "SHA-384"],
  [3, "SHA-512"],
]);

/**
 * Reads an HCL report. What is in the hardware's report and in the runtime data is read by others. Keeps the bytes.
 *
 * @throws EvidenceError or EncodingError for another magic, version, request, kind of report or hash, sizes that do not agree
 * with each other, and whatever is set in reserved bytes or behind the runtime data.
 */
export function parseHclReport(input: Uint8Array): HclReport {
  if (input.length > maxReportBytes) throw refused("bad-length", "length", `at most ${maxReportBytes}`, input.length);
  const reader = new ByteReader(input, "hclReport");
  const { version, size } = readHeader(reader);
  const area = reader.bytes(hardwareAreaLength, "hardwareReport");
  const { reportType, hash, length } = readDataHeader(reader, size);
  const runtimeData = reader.bytes(length, "runtimeData");
  reader.mustBeZero(reader.remaining, "padding");
  return { version, reportType, hash, hardwareReport: hardwareReportIn(area, reportType), runtimeData };
}

function readHeader(reader: ByteReader): { readonly version: 1 | 2; readonly size: number } {
  const found = reader.u32be("magic");
  if (found !== magic) throw new EvidenceError("unsupported-format", "hclReport.magic", "HCLA", "other bytes");
  const version = reader.u32le("version");
  if (version !== 1 && version !== 2) throw refused("unsupported-version", "version", "1 or 2", version);
  const size = reader.u32le("reportSize");
  const request = reader.u32le("requestType");
  if (request !== attestationRequest) throw refused("unsupported-format", "requestType", "2", request);
  reader.mustBeZero(4, "status");
  reader.mustBeZero(12, "reserved");
  return { version, size };
}

interface DataHeader {
  readonly reportType: HclReportType;
  readonly hash: DigestName;
  /** Of the runtime data. */
  readonly length: number;
}

/** `size` is the whole report's by its header: three lengths say the same, and have to agree. */
function readDataHeader(reader: ByteReader, size: number): DataHeader {
  const dataSize = reader.u32le("dataSize");
  const version = reader.u32le("dataVersion");
  if (version !== dataVersion) throw refused("unsupported-version", "dataVersion", `${dataVersion}`, version);
  const typeNumber = reader.u32le("reportType");
  const reportType = reportTypes.get(typeNumber);
  if (reportType === undefined) throw refused("wrong-tee-type", "reportType", "2 or 4", typeNumber);
  const hashNumber = reader.u32le("hashType");
  const hash = hashes.get(hashNumber);
  if (hash === undefined) throw refused("unsupported-algorithm", "hashType", "1 to 3", hashNumber);
  const length = reader.u32le("runtimeDataSize");
  const expected = dataHeaderLength + length;
  if (dataSize !== expected) throw refused("bad-length", "dataSize", `${expected}`, dataSize);
  const whole = headerLength + hardwareAreaLength + expected;
  if (size !== whole) throw refused("bad-length", "reportSize", `${whole}`, size);
  return { reportType, hash, length };
}

/** A TDREPORT is the shorter one; what follows it in the area is nobody's. */
function hardwareReportIn(area: Uint8Array, reportType: HclReportType): Uint8Array {
  if (reportType === "snp") return area;
  const reader = new ByteReader(area, "hclReport.hardwareReport");
  const report = reader.bytes(TD_REPORT_LENGTH, "tdReport");
  reader.mustBeZero(reader.remaining, "padding");
  return report;
}

function refused(failure: FailureCode, field: string, expected: string, actual: number): EvidenceError {
  return new EvidenceError(failure, `hclReport.${field}`, expected, String(actual));
}

/** What the hardware's 64 bytes of report data have to be: the digest, and zeros behind it. In lower-case hex. */
export function reportDataOf(digest: Uint8Array): string {
  return toHex(digest).padEnd(2 * 64, "0");
}
