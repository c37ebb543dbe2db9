/** The SGX report of the quoting enclave, which vouches for the key that signs the quote (Intel SDM, REPORT). No trust. */
import { ByteReader } from "@blindbox/encoding";

/** Length of an SGX report's body. */
export const QE_REPORT_LENGTH = 384;

/** What the CPU says of the quoting enclave. */
export interface QeReport {
  /** The whole report: what the PCK signs. */
  readonly signed: Uint8Array;
  readonly cpuSvn: Uint8Array;
  readonly miscselect: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrenclave: Uint8Array;
  readonly mrsigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** 64 bytes: the digest of the attestation key and the authentication data, then zeros. */
  readonly reportData: Uint8Array;
}

/** Reads one report. @throws EncodingError for another length, or a reserved byte that is set. */
export function parseQeReport(signed: Uint8Array): QeReport {
  const reader = new ByteReader(signed, "quote.qeReport");
  const cpuSvn = reader.bytes(16, "cpuSvn");
  const miscselect = reader.bytes(4, "miscselect");
  reader.mustBeZero(12, "reserved");
  reader.bytes(16, "isvExtProdId");
  const attributes = reader.bytes(16, "attributes");
  const mrenclave = reader.bytes(32, "mrenclave");
  reader.mustBeZero(32, "reserved");
  const mrsigner = reader.bytes(32, "mrsigner");
  reader.mustBeZero(32, "reserved");
  reader.bytes(64, "configId");
  const isvProdId = reader.u16le("isvProdId");
  const isvSvn = reader.u16le("isvSvn");
  reader.bytes(2, "configSvn");
  reader.mustBeZero(42, "reserved");
  reader.bytes(16, "isvFamilyId");
  const reportData = reader.bytes(64, "reportData");
  reader.end();
  return { signed, cpuSvn, miscselect, attributes, mrenclave, mrsigner, isvProdId, isvSvn, reportData };
}
