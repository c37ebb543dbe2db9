/** AWS Nitro Enclaves, by the ioctl of /dev/nsm. */
import { withAttempts } from "../attempts.ts";
import { type DeviceProbe, NOTHING_GIVEN, type Sleep, type TeeDevice } from "../device.ts";
import { DeviceFault } from "../device-fault.ts";
import { demandSuccess } from "../ioctl/errors.ts";
import type { TeeIoctl } from "../ioctl/tee-ioctl.ts";
import { probeByAsking } from "../probe-by-asking.ts";
import { documentInResponse } from "./nsm-response.ts";

export const NSM = "/dev/nsm";

/** The module's device. Its Evidence brings its own certificates. */
export function createNsmDevice(ioctl: TeeIoctl, sleep: Sleep): TeeDevice {
  return {
    tee: "nitro",
    async read(binding) {
      const payload = await withAttempts(sleep, async () => {
        const answer = await ioctl.ask(NSM, "nsm-attestation", binding);
        demandSuccess(NSM, answer);
        return answer.payload;
      });
      const evidence = documentInResponse(payload);
      // Where it stands in the document is the Verifier's to say.
      if (!Buffer.from(evidence).includes(binding)) {
        throw new DeviceFault("malformed", "the device signed something else than it was given");
      }
      return { evidence, subject: { tee: "nitro" }, given: NOTHING_GIVEN };
    },
  };
}

/** Looks whether the module is there. */
export function nsmProbe(ioctl: TeeIoctl, sleep: Sleep): DeviceProbe {
  return probeByAsking("nsm", NSM, createNsmDevice(ioctl, sleep));
}
