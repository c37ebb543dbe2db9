/** What is wrong below the virtual TPM, and what the policy does not accept: exactly these checks fail, with these codes. */
import { describe, expect, test } from "vitest";
import { strictPolicy, type AppraisalPolicy, type Tee } from "@blindbox/attestation";
import { azureVtpm } from "../../src/azure-vtpm/tee.ts";
import { fakeTee as fakeSevSnp } from "../sev-snp/appraise.ts";
import { fakeTee as fakeTdx } from "../tdx/appraise.ts";
import { rightBody } from "../tdx/quote.ts";
import { NOW } from "../vendor.ts";
import { policyWith, refusals, refused, refusalsOf } from "./appraise.ts";
import { fakeTee, mintEvidence, type AzureChange } from "./vendor.ts";

const onTdx = (change: AzureChange): AzureChange => ({ on: "tdx", ...change });
const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(0, (bytes[0] ?? 0) ^ 1);
const hashes = { tcbInfoHash: new Uint8Array(48), tdInfoHash: new Uint8Array(48) };

const below = [
  ...refused("evidence-signature: bad-signature", {
    "a report of SEV-SNP changed": { amd: { evidence: (report) => report.with(0x90, 0) } },
    "a report of SEV-SNP of another chip's key": { amd: { evidence: (report) => report.with(0x2a5, 1) } },
  }),
  ...refused("certificate-validity: expired", {
    "an expired VCEK": { amd: { ekCertificate: { notAfter: NOW - 1 } } },
  }),
  ...refused("debug: debug-enabled", {
    "a paravisor under debug": { amd: { report: { policy: 0xb0000n } } },
    "a TD under debug": onTdx({
      intel: { body: { tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) } },
      tdReport: { tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) },
    }),
  }),
  ...refused("tcb: tcb-below-minimum", {
    "an old TCB at launch": { amd: { report: { launchTcb: [3, 0, 0, 0, 0, 0, 0x18, 0xdb] } } },
  }).map((each) => each),
];

const tdReports = [
  ...refused("td-report (reportData): report-data-mismatch", {
    "report data of another": onTdx({ tdReport: { reportData: new Uint8Array(64) } }),
    "report data with a tail": onTdx({ tdReport: { reportData: rightBody.reportData } }),
  }),
  ...refused(["td-report (reportData): report-data-mismatch", "hcl-binding: var-data-mismatch"], {
    "a quote of other report data": onTdx({ intel: { body: { reportData: new Uint8Array(64).fill(4) } } }),
  }),
  ...(
    [
      "teeTcbSvn",
      "mrseam",
      "mrsignerseam",
      "seamAttributes",
      "tdAttributes",
      "xfam",
      "mrtd",
      "mrconfigid",
      "mrowner",
      "mrownerconfig",
    ] as const
  ).flatMap((field) =>
    refused(`td-report (${field}): measurement-mismatch`, {
      [`another ${field}`]: onTdx({ tdReport: { [field]: flipped(rightBody[field]) } }),
    }),
  ),
  ...[0, 1, 2, 3].flatMap((number) =>
    refused(`td-report (rtmr${number}): measurement-mismatch`, {
      [`another RTMR ${number}`]: onTdx({
        tdReport: { rtmrs: rightBody.rtmrs.with(48 * number, (rightBody.rtmrs[48 * number] ?? 0) ^ 1) },
      }),
    }),
  ),
  ...refused("td-report (teeTcbSvn2): measurement-mismatch", {
    "another running module": onTdx({
      intel: { form: "v5-1.5" },
      tdReport: { teeTcbSvn2: flipped(rightBody.teeTcbSvn2) },
    }),
  }),
  ...refused("td-report (mrservicetd): measurement-mismatch", {
    "other service TDs": onTdx({
      intel: { form: "v5-1.5" },
      tdReport: { mrservicetd: flipped(rightBody.mrservicetd) },
    }),
  }),
  ...refused("td-report (tcbInfoHash): measurement-mismatch", {
    "another hash over the module": onTdx({ tdReport: { tcbInfoHash: hashes.tcbInfoHash } }),
  }),
  ...refused("td-report (tdInfoHash): measurement-mismatch", {
    "another hash over the TD": onTdx({ tdReport: { tdInfoHash: hashes.tdInfoHash } }),
  }),
  ...refused("parse: wrong-tee-type", { "type 0": onTdx({ tdReport: { type: Uint8Array.of(0, 0, 0, 0) } }) }),
  ...refused("parse: unsupported-version", {
    "version 2": onTdx({ tdReport: { type: Uint8Array.of(0x81, 0, 2, 0) } }),
  }),
  ...refused("parse: reserved-not-zero", {
    "a subtype": onTdx({ tdReport: { type: Uint8Array.of(0x81, 1, 0, 0) } }),
    "a reserved byte of the type": onTdx({ tdReport: { type: Uint8Array.of(0x81, 0, 0, 1) } }),
    "a reserved byte": onTdx({ tdReport: { reserved: new Uint8Array(12).with(5, 1) } }),
    "a reserved byte behind the report data": onTdx({ tdReport: { reservedBehind: new Uint8Array(32).with(31, 1) } }),
    "a reserved byte of the module": onTdx({ tdReport: { tcbInfoReserved: new Uint8Array(95).with(94, 1) } }),
    "a reserved byte between": onTdx({ tdReport: { between: new Uint8Array(17).with(0, 1) } }),
    "a reserved byte of the TD": onTdx({ tdReport: { tdInfoReserved: new Uint8Array(64).with(63, 1) } }),
  }),
];

describe("below the virtual TPM", () => {
  test.each(below)("$name is refused", async ({ change, expected }) => {
    expect((await refusals(change)).map((line) => line.replace(/ \(.*\)/, ""))).toEqual(expected);
  });

  test.each(tdReports)("a TDREPORT with $name is refused", async ({ change, expected }) => {
    expect(await refusals(change)).toEqual(expected);
  });

  test("what TDX 1.0 does not quote cannot be compared, and is derived from nowhere", async () => {
    const change = { on: "tdx", tdReport: { teeTcbSvn2: new Uint8Array(16), mrservicetd: rightBody.mrtd } } as const;
    expect(await refusals(change)).toEqual([]);
    const { facts } = fakeTee().parseEvidence(mintEvidence(change).bytes);
    expect([facts["teeTcbSvn2"], facts["mrservicetd"]]).toEqual([null, null]);
  });
});

describe("Endorsements", () => {
  const hardware = "endorsements-form: missing-endorsement";
  const nothingBelow = ["evidence-signature skipped", "hardware-checks: missing-endorsement"];

  test.each([
    ["null", null],
    ["those of the hardware without their place", "bare"],
    ["a member more", { hardware: null, more: null }],
    ["a list", []],
  ])("that are %s are refused, and the hardware says what it misses", async (_name, given) => {
    const change: AzureChange = { endorsements: (right) => (given === "bare" ? right.hardware : given) };
    const expected = ["endorsements-form: bad-encoding", "endorsements-form: bad-encoding", ...nothingBelow];
    expect(await refusals(change)).toEqual(expected);
  });

  test("without a certificate are the hardware's to refuse, and the checks that it cannot make are told", async () => {
    const change: AzureChange = {
      endorsements: ({ hardware: right }) => ({ hardware: { ...(right as object), ek: null } }),
    };
    expect(await refusals(change)).toEqual([hardware, ...nothingBelow]);
  });

  test("of the other hardware are refused", async () => {
    const { endorsements } = mintEvidence({ on: "tdx" });
    expect((await refusals({ endorsements: () => endorsements }))[0]).toBe("endorsements-form: bad-encoding");
  });
});

describe("hardware that is not passed in", () => {
  test.each([
    ["SEV-SNP", {}, fakeTdx],
    ["TDX", { on: "tdx" }, fakeSevSnp()],
  ] as const)("is refused: %s", async (_name, change, only) => {
    const { bytes, endorsements } = mintEvidence(change);
    const refusal = await refusalsOf(azureVtpm({ hardware: [only] }), bytes, endorsements);
    expect(refusal).toEqual(["parse: wrong-tee-type"]);
  });

  test("leaves no shape of tuple behind", () => {
    expect(azureVtpm({ hardware: [fakeTdx] }).tuples).toHaveLength(1);
    expect(azureVtpm({ hardware: [fakeSevSnp()] }).tuples).toHaveLength(2);
    expect(fakeTee().tuples).toHaveLength(3);
  });

  test("a check that the hardware demands and that nobody made is a refusal of its own", async () => {
    const demanding: Tee = { ...fakeSevSnp(), requiredChecks: [...fakeSevSnp().requiredChecks, "a-new-check"] };
    const { bytes, endorsements } = mintEvidence();
    const refusal = await refusalsOf(azureVtpm({ hardware: [demanding] }), bytes, endorsements);
    expect(refusal).toEqual(["hardware-checks: missing-endorsement"]);
  });

  test("hardware whose own reader does not say the level or the signer is refused", async () => {
    const sevSnp = fakeSevSnp();
    const silent: Tee = {
      ...sevSnp,
      parseEvidence: (bytes) => ({ ...sevSnp.parseEvidence(bytes), facts: {} }),
    };
    const { bytes, endorsements } = mintEvidence();
    const refusal = await refusalsOf(azureVtpm({ hardware: [silent] }), bytes, endorsements);
    expect(refusal).toEqual(["hcl-level: vmpl-mismatch", "hcl-id-key: id-key-mismatch"]);
  });
});

describe("the policy", () => {
  const machine = (change: Readonly<Record<string, unknown>>): AzureChange => ({
    runtimeData: (right) => {
      const configuration = Object.entries({ ...right["vm-configuration"], ...change });
      const said = configuration.filter(([, value]) => value !== undefined);
      return { ...right, "vm-configuration": Object.fromEntries(said) };
    },
  });

  test("demands Secure Boot, said and on", async () => {
    for (const value of [false, undefined]) {
      const change = machine({ "secure-boot": value });
      expect(await refusals(change)).toEqual(["secure-boot: vm-configuration-mismatch"]);
      expect(await refusals(change, policyWith({ secureBoot: "any" }))).toEqual([]);
    }
  });

  test("may forbid a console, which is then said and off", async () => {
    const policy = policyWith({ console: "forbid" });
    expect(await refusals({}, policy)).toEqual(["serial-console: vm-configuration-mismatch"]);
    expect(await refusals(machine({ "console-enabled": undefined }), policy)).toEqual([
      "serial-console: vm-configuration-mismatch",
    ]);
    expect(await refusals(machine({ "console-enabled": false }), policy)).toEqual([]);
  });

  test("lists the signers of paravisors, or leaves them to the tuple", async () => {
    const digest = "09".repeat(48);
    const change = { amd: { report: { idKeyDigest: new Uint8Array(48).fill(9) } } };
    expect(await refusals(change, policyWith({ idKeyDigests: [digest] }))).toEqual([]);
    expect(await refusals(change, policyWith({ idKeyDigests: "any" }))).toEqual([]);
    expect(await refusals({}, policyWith({ idKeyDigests: [digest] }))).toEqual(["hcl-id-key: id-key-mismatch"]);
  });

  test("of the hardware may accept another level, and this kind of TEE does not", async () => {
    const policy: AppraisalPolicy = { ...strictPolicy, sevSnp: { ...strictPolicy.sevSnp, vmpls: [0, 2] } };
    expect(await refusals({ amd: { report: { vmpl: 2 } } }, policy)).toEqual(["hcl-level: vmpl-mismatch"]);
  });

  test("accepts debugging as a warning alone", async () => {
    const change = { amd: { report: { policy: 0xb0000n } } };
    expect(await refusals(change, { ...strictPolicy, debug: "allow" })).toEqual(["debug warning"]);
  });
});
