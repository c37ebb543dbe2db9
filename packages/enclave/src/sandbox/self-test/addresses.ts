/** Socket addresses as the kernel takes them. */
import { FAMILY } from "../kernel/constants.ts";

export interface Address {
  readonly family: number;
  /** struct sockaddr_in, sockaddr_in6 or sockaddr_un. */
  readonly bytes: Uint8Array;
}

/** `host` in dotted form. */
export function ipv4(host: string, port: number): Address {
  const view = socketAddress(FAMILY.inet, 16, port);
  for (const [index, part] of host.split(".").entries()) view.setUint8(4 + index, Number(part));
  return { family: FAMILY.inet, bytes: new Uint8Array(view.buffer) };
}

/** `groups` are the eight groups of the address. */
export function ipv6(groups: readonly number[], port: number): Address {
  const view = socketAddress(FAMILY.inet6, 28, port);
  for (const [index, group] of groups.entries()) view.setUint16(8 + index * 2, group);
  return { family: FAMILY.inet6, bytes: new Uint8Array(view.buffer) };
}

/** A path, or with a leading NUL a name in the abstract space. */
export function unix(name: string): Address {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(2 + text.length + (name.startsWith("\0") ? 0 : 1));
  new DataView(bytes.buffer).setUint16(0, FAMILY.unix, true);
  bytes.set(text, 2);
  return { family: FAMILY.unix, bytes };
}

function socketAddress(family: number, size: number, port: number): DataView {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  return view;
}
