/** For whose Endorsements one has to ask of an Azure machine: the hardware's, as its Evidence says. */
import { describe, expect, test } from "vitest";
import { mintEvidence } from "../../attestation/test/azure-vtpm/vendor.ts";
import { milan } from "../../attestation/test/endorsers/vendors.ts";
import { FMSPC } from "../../attestation/test/tdx/intel-texts.ts";
import { readEvidenceSubject } from "../src/endorsements/evidence-file.ts";
import { evidenceDocument, hclReport, snpReport, workplace } from "./endorsements-fixture.ts";

function evidenceOf(hcl: Uint8Array): Uint8Array {
  const document = { type: "blindbox-azure-vtpm/1", hclReport: Buffer.from(hcl).toString("base64url") };
  return new Uint8Array(Buffer.from(JSON.stringify(document)));
}

const onSnp = evidenceOf(hclReport(snpReport()));
const td = { tee: "tdx", fmspc: FMSPC, ca: "platform" };

describe("the machine of an Azure box's answer", () => {
  test.each([
    ["on SEV-SNP is the chip below", onSnp, milan],
    ["on TDX is the platform of the quote beside it, in however long a buffer", mintEvidence({ on: "tdx" }).bytes, td],
  ])("%s", async (_name, evidence, subject) => {
    const { write } = workplace();
    expect(await readEvidenceSubject(write("bare", evidence), null)).toEqual(subject);
    const answer = write("answer", evidenceDocument("azure-vtpm", evidence));
    expect(await readEvidenceSubject(answer, null)).toEqual(subject);
  });

  test.each([
    ["another TEE's Evidence", snpReport(), "azure-vtpm", "sev-snp"],
    ["another TEE's name", onSnp, "sev-snp", "azure-vtpm"],
  ] as const)("with %s is nobody's", async (_name, evidence, expected, actual) => {
    const { write } = workplace();
    const answer = readEvidenceSubject(write("answer", evidenceDocument(expected, evidence)), null);
    await expect(answer).rejects.toThrow(`expected Evidence of ${expected}, got Evidence of ${actual}`);
  });

  test.each([
    ["a size that is not its own", hclReport(snpReport()).fill(1, 8, 9), "reportSize"],
    ["another request", hclReport(snpReport()).fill(1, 12, 13), "requestType"],
    ["something behind its end", hclReport(snpReport()).fill(1, 2599, 2600), "padding"],
  ])("with %s in its HCL report is nobody's", async (_name, hcl, field) => {
    const { write } = workplace();
    const answer = readEvidenceSubject(write("evidence", evidenceOf(hcl)), null);
    await expect(answer).rejects.toThrow(`hclReport.${field}: expected `);
  });
});
