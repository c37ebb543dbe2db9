/** AWS Nitro Enclaves, by the ioctl of /dev/nsm. */
import { parseNitroDocument } from "@blindbox/attestation";
import { equalBytes } from "@blindbox/encoding";
import { withAttempts } from "../attempts.ts";
import { type DeviceProbe, NOTHING_GIVEN, type Sleep, type TeeDevice } from "../device.ts";
import { DeviceFault, readAnswer } from "../device-fault.ts";
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
      const { userData } = readAnswer("an attestation document", () => parseNitroDocument(evidence));
      // All of it, and nowhere else: a nonce and a public key are not what the Verifier looks at.
      if (userData === null || !equalBytes(userData, binding)) {
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
