/** SEV-SNP and TDX by the kernel's common interface for both. */
import type { ReadProduct } from "../amd.ts";
import { snpReading } from "../amd.ts";
import type { DeviceProbe, ProbeResult, TeeDevice } from "../device.ts";
import { DeviceFault } from "../device-fault.ts";
import { tdxReading } from "../intel.ts";
import { absent, unusable, usable } from "../probe-results.ts";
import { readTsmProvider, readTsmReport, type TsmAccess } from "./tsm-report.ts";

/** By the kernel's name of the driver behind it. */
const tees: Readonly<Record<string, "sev-snp" | "tdx">> = { sev_guest: "sev-snp", tdx_guest: "tdx" };

/** The kernel's attributes for one of the two TEEs. */
export function createTsmDevice(tee: "sev-snp" | "tdx", access: TsmAccess, readProduct: ReadProduct): TeeDevice {
  return {
    tee,
    async read(binding) {
      const { provider, outblob, auxblob } = await readTsmReport(access, binding);
      if (tees[provider] !== tee) throw new DeviceFault("malformed", `configfs-tsm: another driver than at the start`);
      return tee === "tdx" ? tdxReading(outblob, binding) : snpReading(outblob, auxblob, binding, readProduct);
    },
  };
}

/** Looks whether the kernel offers reports, and of which TEE. */
export function tsmProbe(access: TsmAccess, readProduct: ReadProduct): DeviceProbe {
  const device = "configfs-tsm";
  return { device, look: () => look(access, readProduct).catch((error: unknown) => unusable(device, error)) };
}

async function look(access: TsmAccess, readProduct: ReadProduct): Promise<ProbeResult> {
  try {
    const provider = await readTsmProvider(access);
    const tee = Object.hasOwn(tees, provider) ? tees[provider] : undefined;
    if (tee !== undefined) return usable("configfs-tsm", createTsmDevice(tee, access, readProduct));
    const shown = /^[a-z0-9_]{1,32}$/.test(provider) ? provider : "of another form";
    throw new DeviceFault("malformed", `its driver is ${shown}, not sev_guest or tdx_guest`);
  } catch (error) {
    if (!(error instanceof DeviceFault) || error.code !== "absent") throw error;
    return absent("configfs-tsm", "no TEE driver in this kernel (6.7 or later), or configfs is not mounted");
  }
}
