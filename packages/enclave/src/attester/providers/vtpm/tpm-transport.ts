/** Commands to a TPM and its answers, as the kernel's resource manager takes them: one write, one read. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { DeviceFault, faultOf } from "../device-fault.ts";

export const TPM_DEVICE = "/dev/tpmrm0";

/** One connection to a TPM, which answers one command after the other. */
export interface TpmTransport {
  exchange(command: Uint8Array): Promise<Uint8Array>;
}

/** Opens the TPM, runs `work`, and closes it, however that ended. */
export type WithTpm = <T>(work: (tpm: TpmTransport) => Promise<T>) => Promise<T>;

/** As long as the kernel lets an answer be. */
const maxResponseBytes = 4096;

/** The TPM behind a character device. */
export function tpmAt(path: string): WithTpm {
  return async (work) => {
    const file = await open(path, constants.O_RDWR).catch((error: unknown) => {
      throw faultOf(error, path);
    });
    try {
      return await work({
        async exchange(command) {
          const { bytesWritten } = await file.write(command, 0, command.length, null);
          if (bytesWritten !== command.length) throw new DeviceFault("failed", `${path}: took half a command`);
          const { buffer, bytesRead } = await file.read(new Uint8Array(maxResponseBytes), 0, maxResponseBytes, null);
          return buffer.subarray(0, bytesRead);
        },
      });
    } catch (error) {
      throw faultOf(error, path);
    } finally {
      await file.close();
    }
  };
}
