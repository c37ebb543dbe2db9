/** What is right is accepted: every form of quote of the fake Intel, and what Intel says of it is told. */
import { strictPolicy, tdx } from "@blindbox/attestation";
import { expect, test } from "vitest";
import { appraise, fakeTee, newTee, policyWith, refusals, refusalsOf } from "./appraise.ts";
import { level, platformLevel, type TcbInfoText } from "./intel-texts.ts";
import { basicConstraints, leafUsage } from "../vendor.ts";
import { chainBytes, hex, zeros } from "./quote.ts";
import { mintEvidence, NOW, sgxExtension, sgxMembers } from "./vendor.ts";

const forms = ["v4", "v5-1.0", "v5-1.5"] as const;
const authorities = ["Platform", "Processor"] as const;

test.each(forms.flatMap((form) => authorities.map((authority) => ({ form, authority }))))(
  "a quote of form $form under the $authority CA is accepted by the strict policy",
  async (change) => {
    expect(await refusals(change)).toEqual([]);
  },
);

test("a chain that ends with the zero byte of a C string is accepted", async () => {
  expect(await refusals({ chain: (...ders) => Buffer.concat([chainBytes(...ders), zeros(1)]) })).toEqual([]);
});

test("a PCK certificate that has none of the optional members is accepted", async () => {
  const { ppid, tcb, pceId, fmspc } = sgxMembers;
  const extensions = [leafUsage, basicConstraints(false), sgxExtension([ppid, tcb, pceId, fmspc])];
  expect(await refusals({ pck: { extensions } })).toEqual([]);
});

test("every register, the bound value and all of Intel's words are told", async () => {
  const { bytes, endorsements } = mintEvidence({ form: "v5-1.5" });
  const evidence = fakeTee.parseEvidence(bytes);
  const { facts } = await appraise(fakeTee, bytes, endorsements);
  expect(Object.keys(evidence.registers).sort()).toEqual(Object.keys(fakeTee.tuples[0] ?? {}).sort());
  expect(Buffer.from(evidence.bound).toString("hex")).toBe(facts["reportData"]);
  expect(evidence.debug).toBe(false);
  expect(facts).toMatchObject({
    version: 5,
    bodyType: 3,
    fmspc: "90c06f000000",
    pcesvn: 13,
    tcbStatus: "UpToDate",
    platformTcbStatus: "UpToDate",
    moduleTcbStatus: "UpToDate",
    qeTcbStatus: "UpToDate",
    advisoryIds: [],
    tdxModuleId: "TDX_01",
    tcbEvaluationDataNumber: 18,
    smtEnabled: false,
    pckAuthority: "Intel SGX PCK Platform CA",
  });
});

const lenient = policyWith({ tcbStatuses: ["OutOfDate", "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded"] });
const oldModule = hex("04010800000000000000000000000000");
const newModule = hex("06010800000000000000000000000000");

/** A platform whose CPU is up to date, at a level that an old microcode of TDX reaches. */
function oldPlatform(right: TcbInfoText): unknown {
  const older = platformLevel({ tdx: [0, 0, 3, ...zeros(13)], status: "OutOfDate" });
  return { ...right, tcbLevels: [platformLevel({}), older] };
}

async function statusOf(change: Parameters<typeof mintEvidence>[0]): Promise<readonly unknown[]> {
  const { bytes, endorsements } = mintEvidence(change);
  const { facts } = await appraise(fakeTee, bytes, endorsements, lenient);
  return [facts["tcbStatus"], facts["advisoryIds"]];
}

test("the status is that of platform, module and quoting enclave together, with all their advisories", async () => {
  const old = { form: "v5-1.5", body: { teeTcbSvn: oldModule, teeTcbSvn2: oldModule }, qe: { isvSvn: 3 } } as const;
  expect(await statusOf(old)).toEqual(["OutOfDate", ["INTEL-SA-00615", "INTEL-SA-01036", "INTEL-SA-01099"]]);
  expect(await statusOf({ qe: { isvSvn: 2 } })).toEqual(["OutOfDate", ["INTEL-SA-00615"]]);
});

test("a TD that an old module launched and the latest one runs is advised to relaunch", async () => {
  const changed = { form: "v5-1.5", body: { teeTcbSvn: oldModule, teeTcbSvn2: newModule } } as const;
  const advisories = ["INTEL-SA-01036", "INTEL-SA-01099"];
  expect(await statusOf(changed)).toEqual(["TDRelaunchAdvised", advisories]);
  expect(await refusals(changed, lenient)).toEqual([]);
  const needs = (right: TcbInfoText): unknown => ({
    ...right,
    tcbLevels: [platformLevel({ status: "ConfigurationNeeded" })],
  });
  expect(await statusOf({ ...changed, tcbInfo: needs })).toEqual(["TDRelaunchAdvisedConfigurationNeeded", advisories]);
});

test("a configuration that the platform needs beside the module's update is told where the level of its CPU alone says so", async () => {
  const needs = (right: TcbInfoText): unknown => ({
    ...right,
    tcbLevels: [
      platformLevel({ status: "ConfigurationNeeded" }),
      platformLevel({ tdx: [0, 0, 3, ...zeros(13)], status: "OutOfDate" }),
    ],
  });
  const body = { teeTcbSvn: hex("04010300000000000000000000000000"), teeTcbSvn2: newModule };
  expect((await statusOf({ form: "v5-1.5", body, tcbInfo: needs }))[0]).toBe("TDRelaunchAdvisedConfigurationNeeded");
});

test.each([
  ["the quoting enclave is out of date as well", { qe: { isvSvn: 2 } }],
  [
    "the CPU's own level is out of date as well",
    {
      tcbInfo: (right: TcbInfoText): unknown => ({ ...right, tcbLevels: [platformLevel({ status: "OutOfDate" })] }),
    },
  ],
  [
    "the module that launched the TD has no major version",
    { body: { teeTcbSvn: hex("05000300000000000000000000000000"), teeTcbSvn2: newModule }, tcbInfo: oldPlatform },
  ],
  [
    "the module that runs is none that Intel names",
    { body: { teeTcbSvn: oldModule, teeTcbSvn2: hex("ff020800000000000000000000000000") } },
  ],
  [
    "the microcode under the new module is old",
    { body: { teeTcbSvn: oldModule, teeTcbSvn2: hex("06010700000000000000000000000000") } },
  ],
  [
    "the module that runs is older than the latest",
    { body: { teeTcbSvn: oldModule, teeTcbSvn2: hex("05010800000000000000000000000000") } },
  ],
])("no relaunch cures it where %s", async (_what, change) => {
  const body = { teeTcbSvn: oldModule, teeTcbSvn2: newModule };
  expect((await statusOf({ form: "v5-1.5", body, ...change }))[0]).toBe("OutOfDate");
});

test("a module of major version 0 is judged by the platform's level, its version included", async () => {
  const major0 = (svn: number): { body: { teeTcbSvn: Uint8Array } } => ({
    body: { teeTcbSvn: Uint8Array.of(svn, 0, 8, ...zeros(13)) },
  });
  expect(await refusals(major0(5))).toEqual([]);
  expect(await refusals(major0(4))).toEqual(["tcb-level (platform): tcb-unsupported", "tcb-status skipped"]);
});

test("what is remembered is judged anew: dates, policy, quote and Endorsements", async () => {
  const { bytes, endorsements } = mintEvidence();
  const tee = newTee();
  expect(await refusalsOf(tee, bytes, endorsements)).toEqual([]);
  expect(await refusalsOf(tee, bytes, endorsements, strictPolicy, NOW + 7200)).toEqual([
    "crl-validity (intermediate): crl-expired",
    "crl-validity (pck): crl-expired",
  ]);
  expect(await refusalsOf(tee, bytes, endorsements, policyWith({ minTcbEvaluationDataNumber: 19 }))).toEqual([
    "tcb-evaluation-number (tcbInfo): eval-number-too-low",
    "tcb-evaluation-number (qeIdentity): eval-number-too-low",
  ]);
  const changed = bytes.with(60, (bytes[60] ?? 0) ^ 1);
  expect(await refusalsOf(tee, changed, endorsements)).toContain("evidence-signature: bad-signature");
  const noCrl = { ...(endorsements as Record<string, string>), pckCrl: null };
  expect(await refusalsOf(tee, bytes, noCrl)).toEqual(["collateral-presence (pckCrl): missing-collateral"]);
  expect(await refusalsOf(tee, bytes, endorsements)).toEqual([]);
});

test("what a caller does to its bytes after they were read changes nothing", async () => {
  const { bytes, endorsements } = mintEvidence();
  const evidence = fakeTee.parseEvidence(bytes);
  const pending = evidence.authenticate(endorsements, strictPolicy, NOW);
  bytes.fill(0);
  expect((await pending).findings.filter(({ status }) => status !== "passed")).toEqual([]);
});

test("every check that a result must hold is made, and every check that is always made must be held", async () => {
  const { bytes, endorsements } = mintEvidence();
  const { findings } = await appraise(fakeTee, bytes, endorsements);
  const made = new Set(findings.map(({ check }) => check));
  // Those that every TEE has to make are required by the result itself.
  const everywhere = ["evidence-signature", "debug"];
  expect(fakeTee.requiredChecks.filter((check) => !made.has(check))).toEqual([]);
  expect([...made].filter((check) => ![...fakeTee.requiredChecks, ...everywhere].includes(check))).toEqual([]);
});

test("the product's own TEE pins Intel's root and no other", async () => {
  const { bytes, endorsements } = mintEvidence();
  expect(await refusalsOf(tdx(), bytes, endorsements)).toEqual(["pinned-root: untrusted-root"]);
});

test("levels that no platform has reached yet do not hide a lower one", async () => {
  const tcbInfo = (right: TcbInfoText): unknown => ({
    ...right,
    tdxModuleIdentities: [
      { ...right.tdxModuleIdentities[1], tcbLevels: [level(9, "UpToDate"), level(6, "OutOfDate")] },
    ],
  });
  expect(await refusals({ tcbInfo })).toEqual(["tcb-status (OutOfDate): tcb-status"]);
});
