/** Right Evidence of each form passes every check, and says what it is. */
import { expect, test } from "vitest";
import { rightBody, rightHeader } from "../tdx/quote.ts";
import { appraise, policyWith, refusals } from "./appraise.ts";
import { allPcrs, NONCE, rightPcrs } from "./tpm.ts";
import { ak, fakeTee, mintEvidence, modulusOf, PARAVISOR, type AzureChange } from "./vendor.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const forms: Readonly<Record<string, AzureChange>> = {
  "on SEV-SNP": {},
  "on SEV-SNP of Genoa": { amd: { product: "genoa" } },
  "on TDX 1.0": { on: "tdx" },
  "on TDX 1.5 with a quote of version 5": { on: "tdx", intel: { form: "v5-1.5" } },
  "on TDX 1.0 with a quote of version 5": { on: "tdx", intel: { form: "v5-1.0" } },
  "with a TD quote that nothing pads": { on: "tdx", tdQuote: (quote) => quote },
  "with an HCL report of version 1": { version: 1 },
  "with SHA-384 of the runtime data": { hashType: 2, hash: "sha384" },
  "with SHA-512 of the runtime data": { hashType: 3, hash: "sha512" },
  "without padding": { padding: new Uint8Array() },
  "with one bit more in the TPM's clock": { safe: 0 },
  "with a TDREPORT of version 1": { on: "tdx", tdReport: { type: Uint8Array.of(0x81, 0, 1, 0) } },
  "with another nonce, which the Statement answers for": { extraData: new Uint8Array(64) },
  "with members that are not known here": {
    runtimeData: (right) => ({
      ...right,
      "vm-configuration": { ...right["vm-configuration"], "tpm-persisted": true, "current-time": 1678652405 },
      more: [{}],
    }),
  },
};

test.each(Object.entries(forms))("%s it is accepted", async (_name, change) => {
  expect(await refusals(change)).toEqual([]);
});

test("it says what it is, on SEV-SNP", async () => {
  const { bytes, endorsements } = mintEvidence();
  const { facts, registers } = await appraise(fakeTee(), bytes, endorsements);
  expect(facts).toMatchObject({
    hclVersion: 2,
    hclReportType: "snp",
    akModulus: hex(modulusOf(ak.spki)),
    userData: "ab".repeat(64),
    secureBoot: true,
    vmpl: 0,
    product: "milan",
    nonce: hex(NONCE),
    pcrSelection: allPcrs,
    tpmClockSafe: true,
    tpmResetCount: 7,
    tpmRestartCount: 3,
    tpmClock: "0000112233445566",
    tpmFirmwareVersion: "2020031200120003",
  });
  expect(facts["pcrs"]).toEqual(Object.fromEntries(rightPcrs.map((pcr, at) => [String(at), hex(pcr)])));
  expect(facts["reportData"]).toBe(`${facts["varDataSha256"] as string}${"00".repeat(32)}`);
  expect(registers).toMatchObject({
    idKeyDigest: hex(PARAVISOR.idKeyDigest),
    guestSvn: "65547",
    measurement: "22".repeat(48),
    vmpl: "00000000",
    pcr0: hex(rightPcrs[0] ?? new Uint8Array()),
    pcr23: hex(rightPcrs[23] ?? new Uint8Array()),
  });
});

test("it says what it is, on TDX, with the user data of HCL report and quote apart", async () => {
  const { bytes, endorsements } = mintEvidence({ on: "tdx" });
  const { facts, registers } = await appraise(fakeTee(), bytes, endorsements);
  expect(facts).toMatchObject({ hclReportType: "tdx", mrtd: hex(rightBody.mrtd), userData: "ab".repeat(64) });
  expect(facts["quoteUserData"]).toBe(hex(rightHeader.userData));
  expect(registers).toMatchObject({ mrtd: hex(rightBody.mrtd), rtmr3: hex(rightBody.rtmrs.subarray(144)) });
  expect(Object.keys(registers)).not.toContain("idKeyDigest");
});

test("every shape of tuple is met by its own hardware's Evidence, and names every PCR", () => {
  const [exact, signed, td, ...more] = fakeTee().tuples.map((shape) => Object.keys(shape));
  expect(more).toEqual([]);
  const onSnp = Object.keys(fakeTee().parseEvidence(mintEvidence().bytes).registers);
  const onTdx = Object.keys(fakeTee().parseEvidence(mintEvidence({ on: "tdx" }).bytes).registers);
  expect(onSnp).toEqual(expect.arrayContaining([...(exact ?? []), ...(signed ?? [])]));
  expect(onTdx).toEqual(expect.arrayContaining(td ?? []));
  for (const shape of [exact, signed, td]) expect(shape).toEqual(expect.arrayContaining(allPcrs.map((n) => `pcr${n}`)));
});

test("PCRs that were supplied and not quoted are not attested, and quoted ones that are not all are said as they are", async () => {
  const { bytes, endorsements } = mintEvidence({ banks: [{ pcrs: [4, 7, 11] }] });
  const { facts, registers, findings } = await appraise(fakeTee(), bytes, endorsements);
  expect(findings.filter(({ status }) => status !== "passed")).toEqual([]);
  expect(facts["pcrSelection"]).toEqual([4, 7, 11]);
  expect(Object.keys(facts["pcrs"] as object)).toEqual(["4", "7", "11"]);
  expect(Object.keys(registers).filter((name) => name.startsWith("pcr"))).toEqual(["pcr4", "pcr7", "pcr11"]);
});

test("PCRs that were not quoted need not be supplied", async () => {
  const pcrs = (all: readonly (string | null)[]): unknown => all.map((pcr, at) => (at === 7 ? pcr : null));
  expect(await refusals({ banks: [{ pcrs: [7] }], pcrs })).toEqual([]);
});

test("a launch that nobody signed has no registers of a signer, even where the policy asks for none", async () => {
  const amd = { report: { idKeyDigest: new Uint8Array(48) } };
  const { bytes, endorsements } = mintEvidence({ amd });
  const { findings, registers } = await appraise(fakeTee(), bytes, endorsements, policyWith({ idKeyDigests: "any" }));
  expect(findings.filter(({ status }) => status !== "passed")).toEqual([]);
  for (const name of ["idKeyDigest", "familyId", "imageId", "guestSvn"]) expect(registers[name]).toBeUndefined();
});

test("what is bound is the quote's extra data, and the Binding's form is its SHA-256", async () => {
  const evidence = fakeTee().parseEvidence(mintEvidence().bytes);
  expect(evidence.bound).toEqual(NONCE);
  const binding = new Uint8Array(64).fill(1);
  expect(hex(await fakeTee().boundForm(binding))).toBe(
    "7c8975e1e60a5c8337f28edf8c33c3b180360b7279644a9bc1af3c51e6220bf5",
  );
});
