/** What is right is accepted: every product, version and kind of key of the fake AMD. */
import { expect, test } from "vitest";
import { strictPolicy } from "@blindbox/attestation";
import { bothKeys, fakeTee, findingsOf, policyWith, refusals, refusalsOf } from "./appraise.ts";
import { mintEvidence, products } from "./vendor.ts";
import { NOW } from "../vendor.ts";

const kinds = ["vcek", "vlek"] as const;
const lines = ["milan", "genoa", "turin"] as const;
const all = lines.flatMap((product) =>
  kinds.flatMap((kind) => [2, 3, 4, 5].map((version) => ({ product, kind, version }))),
);

test.each(all)("$product, $kind, version $version", async (change) => {
  expect(await refusals(change)).toEqual([]);
});

test("under the strict policy a VCEK is accepted, and a VLEK is not", async () => {
  expect(await refusals({}, strictPolicy)).toEqual([]);
  expect(await refusals({ kind: "vlek" }, strictPolicy)).toEqual([
    "csp-id: cloud-not-allowed",
    "endorsement-key-kind: unsupported-key-type",
  ]);
});

test("Siena is of Genoa's line, with a floor of its own", async () => {
  const tcb = [10, 0, 0, 0, 0, 0, 0x1b, 0x1b] as const;
  const siena = {
    product: "genoa",
    ek: { tcb },
    report: { cpuid: [0x19, 0xa0, 2], reportedTcb: tcb, committedTcb: tcb, currentTcb: tcb, launchTcb: tcb },
  } as const;
  expect(await refusals(siena)).toEqual([]);
  expect(await refusals({ ...siena, report: { ...siena.report, cpuid: products.genoa.cpuid } })).toEqual([
    "tcb: tcb-below-minimum",
  ]);
});

test("current may be above committed, and committed above reported, and launch anywhere above the floor", async () => {
  const tcb = products.milan.tcb;
  const up = (at: number): typeof tcb => tcb.with(at, (tcb[at] ?? 0) + 1) as unknown as typeof tcb;
  expect(await refusals({ report: { committedTcb: up(6), currentTcb: up(6) } })).toEqual([]);
  expect(await refusals({ report: { currentTcb: up(7) } })).toEqual([]);
  expect(await refusals({ report: { launchTcb: up(7) } })).toEqual([]);
});

test("what is remembered of a chain is judged anew: dates, CRL and policy", async () => {
  const { bytes, endorsements } = mintEvidence();
  const tee = fakeTee();
  expect(await refusalsOf(tee, bytes, endorsements)).toEqual([]);
  expect(await refusalsOf(tee, bytes, endorsements, bothKeys, NOW + 7200)).toEqual(["crl-validity: crl-expired"]);
  expect(await refusalsOf(tee, bytes, endorsements, policyWith({ vmpls: [1] }))).toEqual(["vmpl: vmpl-mismatch"]);
  const changed = bytes.with(0x95, (bytes[0x95] ?? 0) ^ 1);
  expect(await refusalsOf(tee, changed, endorsements)).toEqual(["evidence-signature: bad-signature"]);
  expect(await refusalsOf(tee, bytes, endorsements)).toEqual([]);
});

test("every check that a result must hold is made, and every check that is made always must be held", async () => {
  const tee = fakeTee();
  const checks = async (change: Parameters<typeof mintEvidence>[0]): Promise<Set<string>> => {
    const { bytes, endorsements } = mintEvidence(change);
    return new Set((await findingsOf(tee, bytes, endorsements)).map(({ check }) => check));
  };
  const made = await checks({});
  expect(tee.requiredChecks.filter((check) => !made.has(check))).toEqual([]);
  // These two every kind of TEE has to hold; what the guest's policy must be is the caller's to say.
  const elsewhere = new Set(["evidence-signature", "debug", "guest-policy"]);
  expect([...made].filter((check) => !tee.requiredChecks.includes(check) && !elsewhere.has(check))).toEqual([]);
  expect((await checks({ kind: "vlek" })).has("csp-id")).toBe(true);
});

test("what the report says is told by name, and what only the certificates say beside it", async () => {
  const { bytes, endorsements } = mintEvidence({ product: "turin", kind: "vlek", version: 5 });
  const evidence = fakeTee().parseEvidence(bytes);
  expect(evidence.registers).toEqual({
    measurement: "22".repeat(48),
    hostData: "33".repeat(32),
    policy: "0000000000030000",
    vmpl: "00000000",
  });
  expect(evidence.facts).toMatchObject({
    version: 5,
    product: "turin",
    cpuid: "1a0201",
    policyFeatures: ["smtAllowed"],
    platformFeatures: ["smt", "ecc", "aliasCheckComplete"],
    currentBuild: "1.55.29",
    launchMitVector: "000000000000003f",
  });
  const { facts } = await evidence.authenticate(endorsements, bothKeys, NOW);
  expect(facts).toEqual({ product: "turin", productName: "Turin", cspId: "CN=cc-us-east-2.example" });
});
