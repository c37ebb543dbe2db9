/** The body of a TD quote: what the TDX module says of the TD and of itself (Intel TDX module ABI, TDREPORT). No trust. */
import { ByteReader } from "@blindbox/encoding";

/** Length of the body of TDX 1.0, and of every version 4 quote. */
export const TD_REPORT_10_LENGTH = 584;

/** Length of the body of TDX 1.5. */
export const TD_REPORT_15_LENGTH = 648;

/** The measurements of one TD, in the order of the bytes. */
export interface TdReport {
  /** Security versions: 0 the module's, 1 its major version, 2 the microcode's, the others zero so far. */
  readonly teeTcbSvn: Uint8Array;
  readonly mrseam: Uint8Array;
  readonly mrsignerseam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrtd: Uint8Array;
  readonly mrconfigid: Uint8Array;
  readonly mrowner: Uint8Array;
  readonly mrownerconfig: Uint8Array;
  readonly rtmr0: Uint8Array;
  readonly rtmr1: Uint8Array;
  readonly rtmr2: Uint8Array;
  readonly rtmr3: Uint8Array;
  readonly reportData: Uint8Array;
  /** Security versions of the module that runs now; those above are of the one that launched the TD. `null` in TDX 1.0. */
  readonly teeTcbSvn2: Uint8Array | null;
  /** What measures the service TDs bound to this TD, zero where there are none. `null` in TDX 1.0. */
  readonly mrservicetd: Uint8Array | null;
}

/** Reads a body of one of the two lengths. @throws EncodingError for any other length. */
export function parseTdReport(bytes: Uint8Array): TdReport {
  const reader = new ByteReader(bytes, "quote.body");
  const take = (length: number, field: string): Uint8Array => reader.bytes(length, field);
  const report = {
    teeTcbSvn: take(16, "teeTcbSvn"),
    mrseam: take(48, "mrseam"),
    mrsignerseam: take(48, "mrsignerseam"),
    seamAttributes: take(8, "seamAttributes"),
    tdAttributes: take(8, "tdAttributes"),
    xfam: take(8, "xfam"),
    mrtd: take(48, "mrtd"),
    mrconfigid: take(48, "mrconfigid"),
    mrowner: take(48, "mrowner"),
    mrownerconfig: take(48, "mrownerconfig"),
    rtmr0: take(48, "rtmr0"),
    rtmr1: take(48, "rtmr1"),
    rtmr2: take(48, "rtmr2"),
    rtmr3: take(48, "rtmr3"),
    reportData: take(64, "reportData"),
  };
  const added =
    bytes.length === TD_REPORT_10_LENGTH
      ? { teeTcbSvn2: null, mrservicetd: null }
      : { teeTcbSvn2: take(16, "teeTcbSvn2"), mrservicetd: take(48, "mrservicetd") };
  reader.end();
  return { ...report, ...added };
}
