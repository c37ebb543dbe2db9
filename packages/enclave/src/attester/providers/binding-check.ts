/** Whether a device signed what it was asked to sign. The Verifier has the last word: this tells of the fault where it is. */
import { equalBytes } from "@blindbox/encoding";
import { DeviceFault } from "./device-fault.ts";

const bindingBytes = 64;

/** @throws DeviceFault `malformed` where `evidence` has another value than `binding` at `offset`. */
export function demandBinding(evidence: Uint8Array, offset: number, binding: Uint8Array): void {
  if (equalBytes(evidence.subarray(offset, offset + bindingBytes), binding)) return;
  throw new DeviceFault("malformed", "the device signed something else than it was given");
}
