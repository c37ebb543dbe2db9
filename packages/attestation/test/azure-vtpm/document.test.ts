/** The document of an Azure machine's Evidence, as a box writes it and the Verifier reads it. */
import { AZURE_EVIDENCE_TYPE, formatAzureEvidence, type AzureEvidenceParts } from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import { describe, expect, test } from "vitest";
import { parseAzureParts } from "../../src/azure-vtpm/document.ts";
import { fakeTee, mintEvidence, type AzureDocument } from "./vendor.ts";

function partsOf(bytes: Uint8Array): AzureEvidenceParts {
  const { hclReport, pcrs, quote, signature, tdQuote } = JSON.parse(Buffer.from(bytes).toString()) as AzureDocument;
  const binary = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64url"));
  return {
    hclReport: binary(hclReport),
    pcrs: (pcrs as readonly string[]).map((pcr) => new Uint8Array(Buffer.from(pcr, "hex"))),
    quote: binary(quote),
    signature: binary(signature),
    tdQuote: tdQuote === null ? null : binary(tdQuote),
  };
}

describe.each(["snp", "tdx"] as const)("on %s", (on) => {
  const { bytes } = mintEvidence({ on });

  test("the parts make the one document that the Verifier reads", () => {
    const written = formatAzureEvidence(partsOf(bytes));
    expect(Buffer.from(written).toString()).toBe(Buffer.from(bytes).toString());
    expect(() => fakeTee().parseEvidence(written)).not.toThrow();
    expect(parseAzureParts(written)).toEqual(partsOf(bytes));
  });
});

const right = partsOf(mintEvidence().bytes);

test("its type is told by name", () => {
  expect(JSON.parse(Buffer.from(formatAzureEvidence(right)).toString())).toHaveProperty("type", AZURE_EVIDENCE_TYPE);
});

test("a PCR that was not read is null", () => {
  const pcrs = right.pcrs.with(16, null);
  expect(parseAzureParts(formatAzureEvidence({ ...right, pcrs })).pcrs).toEqual(pcrs);
});

test.each([
  ["23 PCRs", { pcrs: right.pcrs.slice(1) }, "evidence.pcrs"],
  ["25 PCRs", { pcrs: [null, ...right.pcrs] }, "evidence.pcrs"],
  ["a PCR of 31 bytes", { pcrs: right.pcrs.with(3, new Uint8Array(31)) }, "evidence.pcrs[3]"],
  ["more bytes than any machine has", { hclReport: new Uint8Array(40_000) }, ""],
])("%s cannot be written", (_, change, field) => {
  let thrown: unknown;
  try {
    formatAzureEvidence({ ...right, ...change });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(EncodingError);
  expect(thrown).toHaveProperty("field", expect.stringContaining(field));
});
