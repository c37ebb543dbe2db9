/** Azure's HCL report: what is needed to ask for more. The Verifier reads it whole. */
import { ByteReader } from "@blindbox/encoding";
import { DeviceFault } from "../device-fault.ts";

const hardwareOffset = 32;
const hardwareAreaBytes = 1184;
const tdReportBytes = 1024;
/** "HCLA", as it stands in the bytes. */
const signature = 0x4843_4c41;

/** The report of the hardware below: of SEV-SNP, or a TDREPORT, which only the machine itself can check. */
export interface HclHardware {
  readonly kind: "sev-snp" | "tdx";
  readonly report: Uint8Array;
}

const kinds: ReadonlyMap<number, HclHardware["kind"]> = new Map([
  [2, "sev-snp"],
  [4, "tdx"],
]);

/** @throws DeviceFault, EncodingError for anything but an HCL report of a confidential VM */
export function hardwareIn(hclReport: Uint8Array): HclHardware {
  const reader = new ByteReader(hclReport, "hclReport");
  if (reader.u32be("signature") !== signature) throw new DeviceFault("malformed", "the NV index holds no HCL report");
  reader.bytes(hardwareOffset - 4, "header");
  const area = reader.bytes(hardwareAreaBytes, "hardware");
  reader.u32le("dataSize");
  reader.u32le("dataVersion");
  const kind = kinds.get(reader.u32le("reportType"));
  if (kind === undefined) throw new DeviceFault("malformed", "the HCL report is neither of SEV-SNP nor of TDX");
  return { kind, report: kind === "tdx" ? area.subarray(0, tdReportBytes) : area };
}
