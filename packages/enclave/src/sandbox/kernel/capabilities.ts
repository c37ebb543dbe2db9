/** Sets of capabilities as the kernel takes and tells them (capabilities(7)). */
import { CAPABILITY, CAPABILITY_BYTES, type Capability, SECUREBITS_NO_ROOT, SECUREBITS_ROOT } from "./constants.ts";

export function isAmong(set: readonly Capability[], capability: number): boolean {
  return set.some((name) => CAPABILITY[name] === capability);
}

/** For capset(2) and from capget(2): `set` is effective and permitted, and nothing is inheritable. */
export function capabilitySets(set: readonly Capability[]): Uint8Array {
  const bits = set.reduce((sum, name) => sum | (1 << CAPABILITY[name]), 0) >>> 0;
  const view = new DataView(new ArrayBuffer(CAPABILITY_BYTES));
  view.setUint32(0, bits, true);
  view.setUint32(4, bits, true);
  return new Uint8Array(view.buffer);
}

/** Where nobody has any, uid 0 is a user like all others; else it has them for as long as it is uid 0. */
export function secureBits(set: readonly Capability[]): number {
  return set.length === 0 ? SECUREBITS_NO_ROOT : SECUREBITS_ROOT;
}
