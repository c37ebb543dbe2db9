/** The only sure way to know of a device whether it gives Evidence. */
import { randomBytes } from "node:crypto";
import type { DeviceName, DeviceProbe, TeeDevice } from "./device.ts";
import { DeviceFault } from "./device-fault.ts";
import { absent, unusable, usable } from "./probe-results.ts";

/** Asks `device` for Evidence of random bytes, which nothing can be claimed of. `path` is what has to be there. */
export function probeByAsking(name: DeviceName, path: string, device: TeeDevice): DeviceProbe {
  return {
    device: name,
    async look() {
      try {
        await device.read(randomBytes(64));
        return usable(name, device);
      } catch (error) {
        const isAbsent = error instanceof DeviceFault && error.code === "absent";
        return isAbsent ? absent(name, `no ${path}`) : unusable(name, error);
      }
    },
  };
}
