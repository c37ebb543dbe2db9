/** What the kernel's numbers of errors mean here. */
import { constants } from "node:os";
import { Disturbed } from "../attempts.ts";
import { DeviceFault } from "../device-fault.ts";
import type { IoctlAnswer } from "./tee-ioctl.ts";

const { errno: numbers } = constants;
const passing: readonly number[] = [numbers.EBUSY, numbers.EAGAIN, numbers.EINTR];

/** The kernel's name of an error, `EBUSY` for instance. */
function nameOf(errno: number): string {
  return Object.entries(numbers).find(([, number]) => number === errno)?.[0] ?? `error ${errno}`;
}

/** @throws Disturbed, DeviceFault for what is no success */
export function demandSuccess(device: string, { errno, detail }: IoctlAnswer): void {
  if (errno === 0) return;
  const reason = `${device}: ${nameOf(errno)}${detail === 0n ? "" : `, firmware or hypervisor 0x${detail.toString(16)}`}`;
  if (passing.includes(errno)) throw new Disturbed(reason);
  if (errno === numbers.ENOTTY)
    throw new DeviceFault("failed", `${reason}: no such device, or the kernel gave up its key`);
  if (errno === numbers.EACCES || errno === numbers.EPERM) throw new DeviceFault("denied", reason);
  throw new DeviceFault("failed", reason);
}
