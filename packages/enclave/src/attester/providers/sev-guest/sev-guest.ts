/** SEV-SNP by the ioctl of /dev/sev-guest, for kernels without configfs-tsm. The report is of VMPL 0. */
import { constants } from "node:os";
import { ByteReader } from "@blindbox/encoding";
import { type ReadProduct, snpReading } from "../amd.ts";
import { withAttempts } from "../attempts.ts";
import type { DeviceProbe, Sleep, TeeDevice } from "../device.ts";
import { DeviceFault } from "../device-fault.ts";
import { demandSuccess } from "../ioctl/errors.ts";
import type { IoctlAnswer, TeeIoctl } from "../ioctl/tee-ioctl.ts";
import { probeByAsking } from "../probe-by-asking.ts";

export const SEV_GUEST = "/dev/sev-guest";

export interface SevGuestAccess {
  readonly ioctl: TeeIoctl;
  readonly sleep: Sleep;
  readonly readProduct: ReadProduct;
}

const responseBytes = 4000;
const reportBytes = 1184;
/** The hypervisor's error for a table of certificates that is longer than what the driver takes. */
const invalidLength = 1n;

/** The driver's device. */
export function createSevGuestDevice({ ioctl, sleep, readProduct }: SevGuestAccess): TeeDevice {
  return {
    tee: "sev-snp",
    async read(binding) {
      const payload = await withAttempts(sleep, () => askWithCertificates(ioctl, binding));
      const { report, table } = parsePayload(payload);
      return snpReading(report, table, binding, readProduct);
    },
  };
}

/** Looks whether the driver is there. */
export function sevGuestProbe(access: SevGuestAccess): DeviceProbe {
  return probeByAsking("sev-guest", SEV_GUEST, createSevGuestDevice(access));
}

// Certificates are the host's to give; without them AMD is asked. A report is had either way.
async function askWithCertificates(ioctl: TeeIoctl, binding: Uint8Array): Promise<Uint8Array> {
  const extended = await ioctl.ask(SEV_GUEST, "snp-ext-report", binding);
  if (!isTableTooLong(extended)) {
    demandSuccess(SEV_GUEST, extended);
    return extended.payload;
  }
  const plain = await ioctl.ask(SEV_GUEST, "snp-report", binding);
  demandSuccess(SEV_GUEST, plain);
  return plain.payload;
}

function isTableTooLong({ errno, detail }: IoctlAnswer): boolean {
  return errno === constants.errno.ENOSPC || (errno !== 0 && detail >> 32n === invalidLength);
}

/** SEV-SNP firmware ABI, MSG_REPORT_RSP: status, length, and the report; then what the host has. */
function parsePayload(payload: Uint8Array): { readonly report: Uint8Array; readonly table: Uint8Array } {
  const whole = new ByteReader(payload, "sev-guest");
  const response = new ByteReader(whole.bytes(responseBytes, "response"), "sev-guest.response");
  const status = response.u32le("status");
  if (status !== 0) throw new DeviceFault("failed", `${SEV_GUEST}: the firmware refuses with 0x${status.toString(16)}`);
  const length = response.u32le("length");
  if (length !== reportBytes) throw new DeviceFault("malformed", `${SEV_GUEST}: a report of ${length} bytes`);
  response.mustBeZero(24, "reserved");
  return { report: response.bytes(reportBytes, "report"), table: whole.bytes(whole.remaining, "certificates") };
}
