/** Genuine TDs that are not acceptable: their TCB, their module, their attributes, and the policy's own lists. */
import { strictPolicy } from "@blindbox/attestation";
import { describe, expect, test } from "vitest";
import { readTdxPolicy, type TdxPolicy } from "../../src/tdx/policy.ts";
import { appraise, fakeTee, policyWith, refusals } from "./appraise.ts";
import { level, PCE_SVN, platformLevel, SGX_TCB, type TcbInfoText } from "./intel-texts.ts";
import { hex, rightBody, zeros } from "./quote.ts";
import { mintEvidence, PPID, type IntelChange } from "./vendor.ts";

const everyStatus: TdxPolicy["tcbStatuses"] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
];
const lenient = policyWith({ tcbStatuses: everyStatus });

/** The platform, the module of major version 1 and the quoting enclave stand so. */
function standing(platform: string, module: string, qe: string): IntelChange {
  return {
    tcbInfo: (right: TcbInfoText) => ({
      ...right,
      tdxModuleIdentities: [{ ...right.tdxModuleIdentities[1], tcbLevels: [level(6, module)] }],
      tcbLevels: [platformLevel({ status: platform })],
    }),
    qeIdentity: (right) => ({ ...right, tcbLevels: [level(4, qe)] }),
  };
}

describe("the TCB status", () => {
  test.each(everyStatus.slice(1, 6))(
    "%s is refused by the strict policy, and accepted where it is listed",
    async (status) => {
      const change = standing(status, "UpToDate", "UpToDate");
      expect(await refusals(change)).toEqual([`tcb-status (${status}): tcb-status`]);
      expect(await refusals(change, policyWith({ tcbStatuses: [status] }))).toEqual([]);
      expect(
        await refusals(standing("UpToDate", "UpToDate", "UpToDate"), policyWith({ tcbStatuses: [status] })),
      ).toEqual(["tcb-status (UpToDate): tcb-status"]);
    },
  );

  test.each([
    ["platform", standing("Revoked", "UpToDate", "UpToDate")],
    ["module", standing("UpToDate", "Revoked", "UpToDate")],
    ["quoting enclave", standing("UpToDate", "UpToDate", "Revoked")],
    ["quoting enclave, all else out of date", standing("OutOfDate", "OutOfDate", "Revoked")],
  ])("Revoked is refused whatever the policy lists: %s", async (_part, change) => {
    expect(await refusals(change, lenient)).toEqual(["tcb-revocation: tcb-status", "tcb-status (Revoked): tcb-status"]);
  });

  test.each([
    ["SWHardeningNeeded", "OutOfDate", "UpToDate", "OutOfDate"],
    ["ConfigurationNeeded", "OutOfDate", "UpToDate", "OutOfDateConfigurationNeeded"],
    ["ConfigurationAndSWHardeningNeeded", "UpToDate", "OutOfDate", "OutOfDateConfigurationNeeded"],
    ["ConfigurationNeeded", "SWHardeningNeeded", "UpToDate", "ConfigurationAndSWHardeningNeeded"],
    ["UpToDate", "UpToDate", "OutOfDate", "OutOfDate"],
    ["UpToDate", "OutOfDate", "UpToDate", "OutOfDate"],
  ])("of platform %s, module %s and quoting enclave %s is %s", async (platform, module, qe, whole) => {
    expect(await refusals(standing(platform, module, qe))).toEqual([`tcb-status (${whole}): tcb-status`]);
  });
});

describe("no level is reached", () => {
  const unsupported = (part: string): readonly string[] => [
    `tcb-level (${part}): tcb-unsupported`,
    "tcb-status skipped",
  ];
  const only = (change: Parameters<typeof platformLevel>[0]): IntelChange => ({
    tcbInfo: (right: TcbInfoText) => ({ ...right, tcbLevels: [platformLevel(change)] }),
  });

  test.each(SGX_TCB.map((svn, at) => [at, svn] as const))(
    "where SGX component %i is one lower than a level's",
    async (at, svn) => {
      expect(await refusals(only({ sgx: SGX_TCB.with(at, svn + 1) }), lenient)).toEqual(unsupported("platform"));
      expect(await refusals(only({ sgx: SGX_TCB }), lenient)).toEqual([]);
    },
  );

  test("where one component is higher and another lower: they are not one number", async () => {
    const sgx = SGX_TCB.with(0, 0).with(1, 5);
    expect(await refusals(only({ sgx }), lenient)).toEqual(unsupported("platform"));
  });

  test("where the PCE's version is one lower", async () => {
    expect(await refusals(only({ pcesvn: PCE_SVN + 1 }), lenient)).toEqual(unsupported("platform"));
  });

  test.each([2, 3, 15])("where TDX component %i is one lower", async (at) => {
    const tdx = [...rightBody.teeTcbSvn].map((svn, index) => (index === at ? svn + 1 : svn));
    expect(await refusals(only({ tdx }), lenient)).toEqual(unsupported("platform"));
  });

  test("but TDX components 0 and 1 are the module's own, where it has a major version", async () => {
    const tdx = [...rightBody.teeTcbSvn].map((svn, at) => (at < 2 ? 255 : svn));
    expect(await refusals(only({ tdx }))).toEqual([]);
  });

  test("where the module is below all of its own", async () => {
    expect(await refusals({ body: { teeTcbSvn: hex("03010800000000000000000000000000") } }, lenient)).toEqual(
      unsupported("module"),
    );
  });

  test("where the lists are empty", async () => {
    expect(await refusals({ tcbInfo: (right) => ({ ...right, tcbLevels: [] }) }, lenient)).toEqual(
      unsupported("platform"),
    );
    expect(await refusals({ qeIdentity: (right) => ({ ...right, tcbLevels: [] }) }, lenient)).toEqual(
      unsupported("quoting enclave"),
    );
  });
});

describe("the TDX module", () => {
  const identities = (change: (right: TcbInfoText) => readonly object[]): IntelChange => ({
    tcbInfo: (right: TcbInfoText) => ({ ...right, tdxModuleIdentities: change(right) }),
  });
  const noLevel = ["tcb-level (module): tcb-unsupported", "tcb-status skipped"];

  test("of a major version that Intel does not name is refused", async () => {
    const change = { body: { teeTcbSvn: hex("06020800000000000000000000000000") } };
    expect(await refusals(change)).toEqual(["tdx-module (launched module): module-mismatch", ...noLevel]);
    expect(await refusals(identities(() => []))).toEqual(["tdx-module (launched module): module-mismatch", ...noLevel]);
  });

  test("is named in hexadecimal", async () => {
    const ten = { body: { teeTcbSvn: hex("060a0800000000000000000000000000") } };
    const named = (id: string): IntelChange => ({
      ...ten,
      ...identities((right) => [{ ...right.tdxModuleIdentities[1], id }]),
    });
    expect(await refusals(named("TDX_0A"))).toEqual([]);
    expect(await refusals(named("TDX_0a"))).toEqual([]);
    expect(await refusals(named("TDX_10"))).toEqual(["tdx-module (launched module): module-mismatch", ...noLevel]);
  });

  test("that runs now has to be named as well as the one that launched the TD", async () => {
    const change = { form: "v5-1.5", body: { teeTcbSvn2: hex("06020800000000000000000000000000") } } as const;
    expect(await refusals(change)).toEqual(["tdx-module (running module): module-mismatch"]);
  });

  test("of another signer, or with other attributes, than Intel names is refused", async () => {
    const [launched] = ["tdx-module (mrsignerseam): module-mismatch"];
    const other = (change: object): IntelChange =>
      identities((right) => right.tdxModuleIdentities.map((module) => ({ ...module, ...change })));
    expect(await refusals(other({ mrsigner: "11".repeat(48) }))).toEqual([launched]);
    expect(await refusals(other({ attributes: "0000000000000001" }))).toEqual([
      "tdx-module (seamAttributes): module-mismatch",
    ]);
  });

  test("that Intel did not sign is refused even where the TCB info would have it", async () => {
    const mrsigner = hex("11".repeat(48));
    const agreed = identities((right) =>
      right.tdxModuleIdentities.map((module) => ({ ...module, mrsigner: "11".repeat(48) })),
    );
    expect(await refusals({ ...agreed, body: { mrsignerseam: mrsigner } })).toEqual([
      "tdx-module-signer: module-mismatch",
    ]);
    expect(await refusals({ body: { mrsignerseam: mrsigner } })).toEqual([
      "tdx-module (mrsignerseam): module-mismatch",
      "tdx-module-signer: module-mismatch",
    ]);
    expect(await refusals({ body: { seamAttributes: hex("0100000000000000") } })).toEqual([
      "tdx-module (seamAttributes): module-mismatch",
      "tdx-module-signer: module-mismatch",
    ]);
  });
});

/** The strict attributes with one bit turned over. */
function withBit(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
}

const bits = Array.from({ length: 64 }, (_, bit) => bit);

/** By the TDX module's ABI. */
function attributeRefusal(bit: number): readonly string[] {
  if (bit === 0) return ["debug: debug-enabled"];
  if (bit < 8) return ["td-under-debug: debug-enabled"];
  if (bit === 28) return ["sept-ve-disable: td-attributes-mismatch"];
  if (bit === 29) return ["migratable: migratable"];
  return [27, 30, 31, 63].includes(bit) ? [] : ["td-attributes: reserved-not-zero"];
}

test.each(bits)("TD attribute %i turned over is judged by its meaning", async (bit) => {
  const tdAttributes = withBit(rightBody.tdAttributes, bit);
  expect(await refusals({ body: { tdAttributes } })).toEqual(attributeRefusal(bit));
});

test("SEPT_VE_DISABLE may be left out where the policy says so", async () => {
  expect(await refusals({ body: { tdAttributes: zeros(8) } }, policyWith({ septVeDisable: "any" }))).toEqual([]);
});

test("a debug TD is a warning where the policy allows debug, and the other bits of its group are not", async () => {
  const allowed = policyWith({}, { debug: "allow" });
  const debug = { body: { tdAttributes: withBit(rightBody.tdAttributes, 0) } };
  expect(await refusals(debug, allowed)).toEqual(["debug warning"]);
  expect(await refusals({ body: { tdAttributes: withBit(rightBody.tdAttributes, 5) } }, allowed)).toEqual([
    "td-under-debug: debug-enabled",
  ]);
  for (const bit of [0, 1, 7]) {
    const { bytes } = mintEvidence({ body: { tdAttributes: withBit(rightBody.tdAttributes, bit) } });
    expect(fakeTee.parseEvidence(bytes).debug).toBe(true);
  }
});

test.each(bits)("XFAM bit %i is refused where no TD has it so", async (bit) => {
  const all = hex("e7db060000000000");
  expect(await refusals({ body: { xfam: all } })).toEqual([]);
  const free = bit > 1 && (0x0006_dbe7n & (1n << BigInt(bit))) !== 0n;
  expect(await refusals({ body: { xfam: withBit(all, bit) } })).toEqual(free ? [] : ["xfam: xfam-fixed-bits"]);
});

const mrservicetd = hex("ab".repeat(48));
const otherPpid = "ff".repeat(16);

describe("the policy's lists", () => {
  test.each<[string, IntelChange, Partial<TdxPolicy>, readonly string[]]>([
    ["a service TD is bound", { form: "v5-1.5", body: { mrservicetd } }, {}, ["service-td: service-td-mismatch"]],
    ["a bound one is listed", { form: "v5-1.5", body: { mrservicetd } }, { serviceTds: ["ab".repeat(48)] }, []],
    [
      "a service TD whose measurement begins with zeros is bound",
      { form: "v5-1.5", body: { mrservicetd: hex(`${"00".repeat(47)}01`) } },
      {},
      ["service-td: service-td-mismatch"],
    ],
    ["any may be bound", { form: "v5-1.5", body: { mrservicetd } }, { serviceTds: "any" }, []],
    ["none is bound, and one is listed", { form: "v5-1.5" }, { serviceTds: ["ab".repeat(48)] }, []],
    [
      "another is bound than is listed",
      { form: "v5-1.5", body: { mrservicetd } },
      { serviceTds: ["ac".repeat(48)] },
      ["service-td: service-td-mismatch"],
    ],
    ["the module is not listed", {}, { mrseams: ["ab".repeat(48)] }, ["mrseam: module-mismatch"]],
    ["the module is listed", { body: { mrseam: mrservicetd } }, { mrseams: ["ab".repeat(48)] }, []],
    ["the family is not listed", {}, { fmspcs: ["50806f000000"] }, ["fmspc: fmspc-mismatch"]],
    ["the family is listed", {}, { fmspcs: ["50806f000000", "90c06f000000"] }, []],
    ["the chip is not listed", {}, { chips: { allow: [otherPpid], deny: [] } }, ["chip: chip-not-allowed"]],
    ["the chip is listed", {}, { chips: { allow: [PPID], deny: [] } }, []],
    ["the chip is denied", {}, { chips: { allow: "any", deny: [PPID] } }, ["chip: chip-not-allowed"]],
    [
      "the chip is listed and denied",
      {},
      { chips: { allow: [PPID], deny: [otherPpid, PPID] } },
      ["chip: chip-not-allowed"],
    ],
  ])("%s", async (_name, change, policy, expected) => {
    expect(await refusals(change, policyWith(policy))).toEqual(expected);
  });

  test("a floor of security versions is met one by one, by both modules", async () => {
    const floor = policyWith({ minTeeTcbSvn: "06010800000000000000000000000000" });
    const below = ["tcb (teeTcbSvn): tee-tcb-svn-below-minimum"];
    expect(await refusals({}, floor)).toEqual([]);
    expect(await refusals({ body: { teeTcbSvn: hex("07010700000000000000000000000000") } }, floor)).toContain(below[0]);
    const running = { form: "v5-1.5", body: { teeTcbSvn2: hex("05010800000000000000000000000000") } } as const;
    expect(await refusals(running, floor)).toEqual(["tcb (teeTcbSvn2): tee-tcb-svn-below-minimum"]);
  });
});

test("what a finding shows of the TCB names its parts and every advisory", async () => {
  const { bytes, endorsements } = mintEvidence({ qe: { isvSvn: 2 } });
  const { findings } = await appraise(fakeTee, bytes, endorsements);
  const status = findings.find(({ check }) => check === "tcb-status");
  expect(status?.actual).toBe(
    "OutOfDate: platform UpToDate, module UpToDate, quoting enclave OutOfDate; INTEL-SA-00615",
  );
});

const strict = strictPolicy.tdx;

describe("a policy is refused that has", () => {
  test.each<[string, Record<string, unknown>]>([
    ["Revoked among the statuses", { tcbStatuses: ["UpToDate", "Revoked"] }],
    ["no status", { tcbStatuses: [] }],
    ["a status that is none", { tcbStatuses: ["Fine"] }],
    ["a number that is not whole", { minTcbEvaluationDataNumber: 1.5 }],
    ["a floor of 15 bytes", { minTeeTcbSvn: "00".repeat(15) }],
    ["a floor in capitals", { minTeeTcbSvn: "AA".repeat(16) }],
    ["an unknown word", { septVeDisable: "refuse" }],
    ["an empty list of modules", { mrseams: [] }],
    ["a module of 47 bytes", { mrseams: ["00".repeat(47)] }],
    ["an empty list of families", { fmspcs: [] }],
    ["chips without a deny list", { chips: { allow: "any" } }],
    ["chips that none is allowed of", { chips: { allow: [], deny: [] } }],
    ["a member too many", { more: 1 }],
  ])("%s", (_name, change) => {
    expect(() => readTdxPolicy({ ...strict, ...change }, "policy.tdx")).toThrow(/^policy\.tdx/);
  });

  test.each(Object.keys(strict))("no member %s", (member) => {
    const fewer = Object.fromEntries(Object.entries(strict).filter(([name]) => name !== member));
    expect(() => readTdxPolicy(fewer, "policy.tdx")).toThrow(`policy.tdx.${member}: missing`);
  });
});
