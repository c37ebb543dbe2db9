/**
 * Which addresses are the public internet's. Everything that is not is refused after resolving, whoever answered: what a
 * name leads to is the network's choice, and the box can reach what the network cannot.
 */
import { isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** An address and how many of its leading bits count. */
type Block = readonly [address: string, bits: number];

/** IPv4 that is not public (IANA's special-purpose registry), and what clouds put into public space. */
const ipv4Refused: readonly Block[] = [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // carriers' own; Alibaba's metadata
  ["127.0.0.0", 8], // loopback
  ["168.63.129.16", 32], // Azure's own services, in public space
  ["169.254.0.0", 16], // link-local, and with it the clouds' metadata
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments; Oracle's metadata
  ["192.0.2.0", 24], // documentation
  ["192.88.99.0", 24], // relays of 6to4, given up
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarks; our own virtual addresses
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, and broadcast
];

/**
 * IPv6 that is public is only ever in here. That leaves out `::`, `::1`, v4-mapped (`::ffff:0:0/96`), v4-compatible,
 * NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`), discard (`100::/64`), unique local, link-local, site-local and multicast.
 */
const ipv6Global: Block = ["2000::", 3];

const ipv6Refused: readonly Block[] = [
  ["2001::", 23], // protocol assignments: Teredo, benchmarks, ORCHID and others
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4, which carries any IPv4 address
  ["3ffe::", 16], // given back
  ["3fff::", 20], // documentation
];

/** Is `address`, IPv4 or IPv6 in text, one of the public internet? False for any other text. */
export function isGlobalAddress(address: string): boolean {
  const bits = addressBits(address);
  if (bits === null) return false;
  if (bits.length === ipv4Length) return !ipv4Refused.some((block) => isWithin(bits, block));
  return isWithin(bits, ipv6Global) && !ipv6Refused.some((block) => isWithin(bits, block));
}

/** Says of an address whether the box may dial it: it is global, and none of the machine's own. */
export type IsPublic = (address: string) => boolean;

/** @param ownAddresses those of this machine's interfaces at the time of asking. Default: as the system tells. */
export function createClassifier(ownAddresses: () => readonly string[] = systemAddresses): IsPublic {
  return (address) => {
    if (!isGlobalAddress(address)) return false;
    const bits = addressBits(address);
    return !ownAddresses().some((own) => addressBits(own) === bits);
  };
}

function systemAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

const ipv4Length = 32;

function isWithin(bits: string, [address, length]: Block): boolean {
  return bits.slice(0, length) === addressBits(address)?.slice(0, length);
}

/** 32 or 128 characters, `0` or `1`; null for what is no address, or one with a zone. */
function addressBits(address: string): string | null {
  if (isIPv4(address)) return ipv4Bits(address);
  return isIPv6(address) && !address.includes("%") ? ipv6Bits(address) : null;
}

function ipv4Bits(address: string): string {
  return address
    .split(".")
    .map((octet) => Number(octet).toString(2).padStart(8, "0"))
    .join("");
}

function ipv6Bits(address: string): string {
  const [head = "", tail] = address.split("::");
  const before = groupBits(head);
  if (tail === undefined) return before;
  const after = groupBits(tail);
  return before + "0".repeat(128 - before.length - after.length) + after;
}

function groupBits(groups: string): string {
  if (groups === "") return "";
  return groups
    .split(":")
    .map((group) => (isIPv4(group) ? ipv4Bits(group) : Number.parseInt(group, 16).toString(2).padStart(16, "0")))
    .join("");
}
