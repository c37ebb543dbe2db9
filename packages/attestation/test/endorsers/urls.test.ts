/** The addresses that vendors are asked at, to the letter. */
import { describe, expect, test } from "vitest";
import {
  createEndorser,
  memoryCache,
  type EndorserOptions,
  type EndorsementSubject,
} from "@blindbox/attestation/endorsers";
import { amdChainUrl, amdCrlUrl, vcekUrl } from "../../src/endorsers/amd-kds.ts";
import { demandVendor } from "../../src/endorsers/vendor-fetch.ts";
import { endorserWith, fakeVendors, refusal, status, virtualTime } from "./surroundings.ts";
import { milan, none, platform } from "./vendors.ts";

/** Chips and TCBs of real reports. */
const milanChip =
  "d49554ec717f4e5b0fe6b143bcf0405bd7ae304727edf46603f2a76aef6a3abc15d7af38db757039029f0efacfd08e244324884738c72b082e2f87a44d541eb6";
const sienaChip =
  "b5f9a4c8280e63c97d288db6648577dc2b848884aa682d7a227ba40e50deb2b0d112b599d87aaccda78d06f4254b1e81c4d953ef3c699db39d4e06013e9fa4ce";
const turinChip = `59790fb1c39f35c1${"00".repeat(56)}`;

/** Everything that is asked for a machine, by vendors who refuse it all. */
async function askedFor(subject: EndorsementSubject, options: Partial<EndorserOptions> = {}): Promise<string[]> {
  const asked: string[] = [];
  const fetch: EndorserOptions["fetch"] = async (url, { signal }) => {
    asked.push(url);
    return status(403)(signal);
  };
  await refusal(endorserWith({ fetch, asked: [] }, virtualTime(), options).fetch(subject, none));
  return asked.sort();
}

describe("AMD KDS", () => {
  test("a Milan chip is asked for by all 64 bytes, in decimal SPLs", () => {
    expect(vcekUrl({ ...milan, chipId: milanChip, reportedTcb: "0300000000000873" })).toBe(
      `https://kdsintf.amd.com/vcek/v1/Milan/${milanChip}?blSPL=3&teeSPL=0&snpSPL=8&ucodeSPL=115`,
    );
  });

  test("Siena is Genoa to KDS", () => {
    expect(vcekUrl({ ...milan, product: "genoa", chipId: sienaChip, reportedTcb: "0a00000000001b1b" })).toBe(
      `https://kdsintf.amd.com/vcek/v1/Genoa/${sienaChip}?blSPL=10&teeSPL=0&snpSPL=27&ucodeSPL=27`,
    );
  });

  test("a Turin chip is asked for by its 8 bytes, with fmcSPL first and the TCB in Turin's order", () => {
    expect(vcekUrl({ ...milan, product: "turin", chipId: turinChip, reportedTcb: "0102030400000051" })).toBe(
      "https://kdsintf.amd.com/vcek/v1/Turin/59790fb1c39f35c1?fmcSPL=1&blSPL=2&teeSPL=3&snpSPL=4&ucodeSPL=81",
    );
  });

  test.each([
    ["milan", "Milan"],
    ["genoa", "Genoa"],
    ["turin", "Turin"],
  ] as const)("chains and CRL of %s", (product, spelt) => {
    expect(amdChainUrl({ product, key: "vcek" })).toBe(`https://kdsintf.amd.com/vcek/v1/${spelt}/cert_chain`);
    expect(amdChainUrl({ product, key: "vlek" })).toBe(`https://kdsintf.amd.com/vlek/v1/${spelt}/cert_chain`);
    expect(amdCrlUrl({ product })).toBe(`https://kdsintf.amd.com/vcek/v1/${spelt}/crl`);
  });

  test.each([
    ["a Milan report with a TCB in Turin's order", { reportedTcb: "0101010400000051" }, "mismatch"],
    [
      "a Turin report with a TCB in Milan's order",
      { product: "turin", chipId: turinChip, reportedTcb: "0300000000000873" },
      "mismatch",
    ],
    [
      "a Turin report with a chip id of 64 bytes",
      { product: "turin", chipId: milanChip, reportedTcb: "0101010400000051" },
      "mismatch",
    ],
    ["a chip that hides its id", { chipId: "00".repeat(64) }, "missing"],
  ] as const)("%s is asked for nowhere", async (_name, change, code) => {
    const vendors = fakeVendors({});
    const error = await refusal(endorserWith(vendors, virtualTime()).fetch({ ...milan, ...change }, none));
    expect(error).toMatchObject({ name: "EndorserError", code, field: "ek" });
    expect(vendors.asked).toEqual([]);
  });
});

describe("Intel PCS", () => {
  const crls = [
    "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
  ];
  const tdx = "https://api.trustedservices.intel.com/tdx/certification/v4";

  test.each([
    ["default", "?fmspc=50806f000000", ""],
    ["standard", "?fmspc=50806f000000&update=standard", "?update=standard"],
    ["early", "?fmspc=50806f000000&update=early", "?update=early"],
    [17, "?fmspc=50806f000000&tcbEvaluationDataNumber=17", "?tcbEvaluationDataNumber=17"],
  ] as const)("update %s", async (intelUpdate, tcb, qe) => {
    const expected = [...crls, `${tdx}/tcb${tcb}`, `${tdx}/qe/identity${qe}`].sort();
    expect(await askedFor(platform, { intelUpdate })).toEqual(expected);
  });

  test("a platform under the Processor CA has that CA's CRL", async () => {
    expect(await askedFor({ ...platform, ca: "processor" })).toContain(
      "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=processor&encoding=der",
    );
  });
});

describe("who is asked at all", () => {
  test("Azure's metadata service has the certificates, AMD alone the CRL", async () => {
    expect(await askedFor(milan, { amdSource: "thim" })).toEqual([
      "http://169.254.169.254/metadata/THIM/amd/certification",
      "http://169.254.169.254/metadata/THIM/amd/certification",
      "https://kdsintf.amd.com/vcek/v1/Milan/crl",
    ]);
  });

  test("nobody is asked for Nitro, whose Endorsements are empty", async () => {
    const vendors = fakeVendors({});
    const { endorsements, parts } = await endorserWith(vendors, virtualTime()).fetch({ tee: "nitro" }, none);
    expect({ endorsements, parts, asked: vendors.asked }).toEqual({ endorsements: {}, parts: [], asked: [] });
  });

  test.each([
    "http://kdsintf.amd.com/x",
    "https://kdsintf.amd.com:8443/x",
    "https://kdsintf.amd.com@evil.example/x",
    "https://user@kdsintf.amd.com/x",
    "https://kdsintf.amd.com.evil.example/x",
    "https://169.254.169.254/x",
    "http://169.254.169.254:80@evil.example/x",
    "http://127.0.0.1/x",
    "file:///x",
  ])("%s is no vendor's place", (url) => {
    expect(() => demandVendor({ url, headers: {}, maxBytes: 1, field: "ek" })).toThrow(TypeError);
  });

  test.each([
    ["fetch", null],
    ["now", 1],
    ["amdSource", "mirror"],
    ["intelUpdate", "late"],
    ["intelUpdate", 1.5],
    ["intelUpdate", -1],
    ["baseUrl", "https://mirror.example"],
  ])("option %s = %j is a TypeError: nothing redirects a vendor's host", (name, value) => {
    const time = virtualTime();
    const right = { fetch, now: time.now, sleep: time.sleep, random: Math.random, cache: memoryCache() };
    const options = { ...right, amdSource: "kds", intelUpdate: "default", [name]: value } as unknown as EndorserOptions;
    expect(() => createEndorser(options)).toThrow(TypeError);
  });

  test("given members that are missing or unknown are a TypeError", async () => {
    const endorser = endorserWith(fakeVendors({}), virtualTime());
    for (const given of [{}, { ek: null }, { ek: "x", uvm: null }, { ...none, more: 1 }]) {
      expect(await refusal(endorser.fetch(milan, given as unknown as typeof none))).toBeInstanceOf(TypeError);
    }
    expect(await refusal(endorser.fetch(platform, { ek: new Uint8Array(1), uvm: null }))).toBeInstanceOf(TypeError);
  });
});
