/** Which addresses are public, against Node's own block list and by name. */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createClassifier, isGlobalAddress } from "../src/egress/dial/index.ts";

/** Written down a second time, from the registries, in another form. */
const refused = new BlockList();
// Of its own: Node's lists take an IPv4 address for the IPv6 address that maps it.
const refused6 = new BlockList();
const ipv4 = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
  192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`;
for (const block of ipv4.split(/\s+/)) refused.addSubnet(...subnet(block), "ipv4");
const ipv6 = `::/3 4000::/2 8000::/1 2001::/23 2001:db8::/32 2002::/16 3ffe::/16 3fff::/20`;
for (const block of ipv6.split(/\s+/)) refused6.addSubnet(...subnet(block), "ipv6");

function subnet(block: string): [string, number] {
  const [address = "", bits = ""] = block.split("/");
  return [address, Number(bits)];
}

const octet = fc.nat({ max: 255 });
const edges = [
  0, 9, 10, 11, 63, 64, 99, 100, 126, 127, 128, 129, 168, 169, 172, 192, 198, 203, 223, 224, 239, 240, 255,
];
const edge = fc.oneof(octet, fc.constantFrom(...edges));
const anyIpv4 = fc.tuple(edge, edge, edge, edge).map((octets) => octets.join("."));
const words = [
  0, 1, 0x64, 0xdb8, 0x1ff, 0x200, 0x2001, 0x2002, 0x3ffe, 0x3fff, 0xfc00, 0xfd00, 0xfe80, 0xff02, 0xff9b, 0xffff,
];
const group = fc.oneof(fc.nat({ max: 0xffff }), fc.constantFrom(...words));
const anyIpv6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((each) => each.toString(16)).join(":"));

describe("an address", () => {
  test("of IPv4 is judged as Node's block list judges it", () => {
    fc.assert(
      fc.property(anyIpv4, (address) => {
        expect(isGlobalAddress(address)).toBe(!refused.check(address, "ipv4"));
      }),
      { numRuns: 3000 },
    );
  });

  test("of IPv6 is judged as Node's block list judges it", () => {
    fc.assert(
      fc.property(anyIpv6, (address) => {
        expect(isGlobalAddress(address)).toBe(!refused6.check(address, "ipv6"));
      }),
      { numRuns: 3000 },
    );
  });

  test("of IPv6 is judged alike in every way of writing it", () => {
    fc.assert(
      fc.property(anyIpv6, (address) => {
        const written = new URL(`http://[${address}]/`).hostname.slice(1, -1);
        expect(isGlobalAddress(written)).toBe(isGlobalAddress(address));
        expect(isGlobalAddress(written.toUpperCase())).toBe(isGlobalAddress(address));
      }),
      { numRuns: 1000 },
    );
  });

  test("is refused in any text that is no address", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!isIPv4(text) && !isIPv6(text));
        expect(isGlobalAddress(text)).toBe(false);
      }),
    );
  });

  const named: readonly (readonly [string, string])[] = [
    ["this host", "0.0.0.0"],
    ["private, 10", "10.255.255.255"],
    ["a carrier's own", "100.127.255.255"],
    ["Alibaba's metadata", "100.100.100.200"],
    ["loopback", "127.0.0.53"],
    ["metadata of most clouds", "169.254.169.254"],
    ["Azure's wire server", "168.63.129.16"],
    ["private, 172", "172.31.0.1"],
    ["Oracle's metadata", "192.0.0.192"],
    ["private, 192", "192.168.1.1"],
    ["our own virtual addresses", "198.19.255.254"],
    ["multicast", "239.1.1.1"],
    ["broadcast", "255.255.255.255"],
    ["class E", "250.0.0.1"],
    ["unspecified", "::"],
    ["loopback, v6", "::1"],
    ["v4-mapped", "::ffff:8.8.8.8"],
    ["v4-compatible", "::8.8.8.8"],
    ["NAT64", "64:ff9b::8.8.8.8"],
    ["NAT64 of one's own", "64:ff9b:1::a00:1"],
    ["6to4", "2002:808:808::1"],
    ["Teredo", "2001:0:808:808::1"],
    ["ORCHID", "2001:20::1"],
    ["benchmarks, v6", "2001:2::1"],
    ["documentation, v6", "2001:db8::1"],
    ["documentation, new", "3fff:fff::1"],
    ["discard", "100::1"],
    ["unique local", "fd00:ec2::254"],
    ["link-local", "fe80::1"],
    ["link-local with a zone", "fe80::1%lo"],
    ["site-local", "fec0::1"],
    ["multicast, v6", "ff02::1"],
    ["global with a zone", "2606:4700::1%lo"],
    ["leading zeros", "008.8.8.8"],
    ["a number", "134744072"],
    ["hexadecimal", "0x8.8.8.8"],
    ["three parts", "8.8.8"],
    ["white space", " 8.8.8.8"],
    ["nothing", ""],
  ];

  test.each(named)("that is %s is refused", (_name, address) => {
    expect(isGlobalAddress(address)).toBe(false);
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.17",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2001:200::1",
    "2a00:1450::1",
  ])("%s is public", (address) => {
    expect(isGlobalAddress(address)).toBe(true);
  });
});

describe("the classifier", () => {
  test("refuses what is the machine's own, however it is written", () => {
    const isPublic = createClassifier(() => ["11.0.0.1", "2606:4700:0:0:0:0:0:1"]);
    expect(["11.0.0.1", "11.0.0.2", "2606:4700::1", "2606:4700::2"].map(isPublic)).toEqual([false, true, false, true]);
  });

  test("looks at the interfaces each time it is asked", () => {
    const own: string[] = [];
    const isPublic = createClassifier(() => own);
    expect(isPublic("11.0.0.1")).toBe(true);
    own.push("11.0.0.1");
    expect(isPublic("11.0.0.1")).toBe(false);
  });

  test("refuses every address of this machine", () => {
    const isPublic = createClassifier();
    const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    expect(own.filter(({ address }) => isPublic(address))).toEqual([]);
  });
});
