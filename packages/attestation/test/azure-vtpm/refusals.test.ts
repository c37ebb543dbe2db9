/** Nearly right Evidence, one thing wrong at a time: exactly these checks fail, with exactly these codes. */
import { describe, expect, test } from "vitest";
import { strictPolicy } from "@blindbox/attestation";
import { rsaPair } from "../rsa.ts";
import { fakeTee as fakeSevSnp } from "../sev-snp/appraise.ts";
import { mintEvidence as mintAmd } from "../sev-snp/vendor.ts";
import { fakeTee as fakeTdx } from "../tdx/appraise.ts";
import { mintEvidence as mintIntel } from "../tdx/vendor.ts";
import { NOW } from "../vendor.ts";
import { appraise, refusals, refusalsOf, type RefusalCase } from "./appraise.ts";
import { documentCases } from "./cases/document.ts";
import { belowCases, endorsementCases, machineCases, tdReportCases } from "./cases/hardware.ts";
import { bindingCases, layoutCases, runtimeDataCases, withKey } from "./cases/hcl.ts";
import { digestCases, lengthChanges, signatureCases, structureCases, swapped } from "./cases/quote.ts";
import { hclReport } from "./hcl.ts";
import { ak, ek, fakeTee, mintEvidence, type AzureDocument } from "./vendor.ts";

const groups: Readonly<Record<string, readonly RefusalCase[]>> = {
  "a document is malformed": documentCases,
  "an HCL report is malformed": layoutCases,
  "runtime data are malformed": runtimeDataCases,
  "the hardware is not good": belowCases,
  "Endorsements cannot be used": endorsementCases,
  "a TDREPORT is not the quoted one": tdReportCases,
  "the paravisor's word does not count": bindingCases,
  "a quote is malformed": structureCases,
  "a quote is not the key's": signatureCases,
  "PCRs are not the quoted ones": digestCases,
  "the machine is not acceptable": machineCases,
};

describe.each(Object.entries(groups))("%s:", (_name, cases) => {
  test.each(cases)("$name", async ({ change, policy, expected }) => {
    expect(await refusals(change, policy)).toEqual(expected);
  });
});

test("every check of this kind of TEE that right Evidence passes fails somewhere here", async () => {
  const below = [await appraise(fakeSevSnp(), ...partsOf(mintAmd())), await appraise(fakeTdx, ...partsOf(mintIntel()))];
  const above = [
    await appraise(fakeTee(), ...partsOf(mintEvidence())),
    await appraise(fakeTee(), ...partsOf(mintEvidence({ on: "tdx" }))),
  ];
  const checksOf = (all: typeof above): string[] => all.flatMap(({ findings }) => findings.map(({ check }) => check));
  const hardware = new Set(checksOf(below));
  const own = new Set(checksOf(above).filter((check) => !hardware.has(check)));
  const refused = new Set(
    Object.values(groups)
      .flat()
      .flatMap(({ expected }) => expected.map((line) => line.split(/[: ]/)[0])),
  );
  expect([...own]).toEqual([
    "hardware-checks",
    "hcl-level",
    "hcl-id-key",
    "hcl-binding",
    "hcl-key-use",
    "tpm-quote-signature",
    "pcr-digest",
    "secure-boot",
    "serial-console",
    "td-report",
  ]);
  expect([...own].filter((check) => !refused.has(check))).toEqual([]);
});

function partsOf({ bytes, endorsements }: Pick<ReturnType<typeof mintEvidence>, "bytes" | "endorsements">) {
  return [bytes, endorsements] as const;
}

test.each(lengthChanges)("a quote with %s is refused by the reader, though it is signed", async (_name, change) => {
  expect(await refusals(change)).toEqual([expect.stringMatching(/^parse: /)]);
});

test("the parts of this Evidence on their own, and Evidence of other kinds, are refused", async () => {
  const { bytes } = mintEvidence();
  const { hclReport: hcl, quote } = JSON.parse(Buffer.from(bytes).toString()) as AzureDocument;
  const alone = [
    Buffer.from(hcl, "base64url"),
    Buffer.from(quote, "base64url"),
    hclReport(new Uint8Array(1184), bytes, {}),
    mintAmd().bytes,
    mintIntel().bytes,
  ];
  for (const part of alone) {
    expect(await refusalsOf(fakeTee(), new Uint8Array(part), {})).toEqual(["parse: bad-encoding"]);
  }
});

test("what the caller does to its bytes afterwards changes nothing", async () => {
  const { bytes, endorsements } = mintEvidence();
  const evidence = fakeTee().parseEvidence(bytes);
  bytes.fill(0);
  const { findings } = await evidence.authenticate(endorsements, strictPolicy, NOW);
  expect(findings.every(({ status }) => status === "passed")).toBe(true);
});

test("a key of 3072 bits is a right key, and signs for itself alone", async () => {
  const { spki, privateKey } = rsaPair(3072);
  const n = Buffer.from(spki.subarray(spki.length - 5 - 384, spki.length - 5)).toString("base64url");
  const longer = withKey((key) => ({ ...key, n }));
  expect(await refusals({ ...longer, signer: privateKey })).toEqual([]);
  expect(await refusals({ ...longer, signer: ak.privateKey })).toEqual(["tpm-quote-signature: bad-quote-signature"]);
});

test("a quote and PCRs that are both wrong are both told", async () => {
  const change = { ...swapped(4, 7), signer: ek.privateKey };
  expect(await refusals(change)).toEqual(["tpm-quote-signature: bad-quote-signature", "pcr-digest: pcr-mismatch"]);
});
