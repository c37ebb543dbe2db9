/** What `blindbox inspect` says of real Evidence that differs from the usual: debug, old firmware, other products. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex, toHex } from "@blindbox/encoding";
import { describe, expect, test } from "vitest";
import { skipLine, vectorsFolder } from "../../../conformance/vectors.ts";
import { describe as describeBytes } from "../src/evidence/describe.ts";
import type { Field, Inspection } from "../src/evidence/inspection.ts";
import type { Line } from "../src/evidence/line.ts";

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("the words of inspect"));

function bytesOf(file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder ?? "", file)));
}

function inspect(evidence: Uint8Array): Inspection {
  const description = describeBytes(evidence);
  if (description === null) throw new Error("not recognised");
  return description.inspection;
}

function fieldsOf({ sections, inside }: Inspection): readonly Field[] {
  return [...sections.flatMap(({ fields }) => fields), ...inside.flatMap(fieldsOf)];
}

function linesOf(evidence: Uint8Array, name: string): readonly Line[] {
  return fieldsOf(inspect(evidence)).find((field) => field.name === name)?.lines ?? [];
}

function textOf(evidence: Uint8Array, name: string): string {
  return linesOf(evidence, name)
    .map(({ text }) => text)
    .join("\n");
}

/** Texts of the lines that say that protection is taken away. */
function badOf(evidence: Uint8Array): readonly string[] {
  const lines = fieldsOf(inspect(evidence)).flatMap((field) => field.lines);
  return lines.filter(({ tone }) => tone === "bad").map(({ text }) => text);
}

describe.skipIf(folder === null)("debug", () => {
  test.each([
    ["snp/milan-v2-google-DEBUG.report.bin", "AMD SEV-SNP attestation report, version 2, of a guest with DEBUG on"],
    ["tdx/v4-trustee-DEBUG.quote.bin", "Intel TDX quote, version 4, TDX 1.0, of a TD with DEBUG on"],
    ["nitro/DEBUG-evervault-ga-2023.cose", "AWS Nitro Enclaves attestation document, of an enclave in debug mode"],
  ])("%s is said to be under debug in the title and in red", (file, title) => {
    expect(inspect(bytesOf(file)).title).toBe(title);
    expect(badOf(bytesOf(file)).join("\n")).toMatch(/debug|ON: the host reads and writes/);
  });

  test.each(["snp/turin-v5-ms.report.bin", "tdx/v5-google.quote.bin", "nitro/prod-base-2024.cose"])(
    "%s is not, and nothing of it is bad",
    (file) => {
      expect(inspect(bytesOf(file)).title).not.toMatch(/debug/i);
      expect(badOf(bytesOf(file))).toEqual([]);
    },
  );

  test("one register of a Nitro enclave's code that is all zero is debug, as it is to the verifier", () => {
    const hex = toHex(bytesOf("nitro/prod-base-2024.cose"));
    const pcr1 = textOf(fromHex(hex), "1");
    expect(pcr1).toMatch(/^[0-9a-f]{96}$/);
    const altered = fromHex(hex.replaceAll(pcr1, "0".repeat(96)));
    expect(inspect(altered).title).toContain("in debug mode");
    expect(linesOf(altered, "1")).toMatchObject([{ tone: "bad" }]);
  });

  test("a quoting enclave under debug is told from one that is not", () => {
    const quote = bytesOf("tdx/v5-google.quote.bin");
    const attributes = linesOf(quote, "qeAttributes");
    expect(attributes.map(({ text }) => text)).toContain("INIT, MODE64BIT, PROVISION_KEY");
    expect(attributes.at(-1)).toEqual({ text: "DEBUG off", tone: "good" });
    const hex = toHex(quote);
    const altered = fromHex(hex.replace("1500000000000000e700000000000000", "1700000000000000e700000000000000"));
    expect(linesOf(altered, "qeAttributes").at(-1)).toMatchObject({ tone: "bad" });
  });
});

describe.skipIf(folder === null)("SEV-SNP", () => {
  test("Turin's TCB begins with FMC; version 2 says that its product is not known", () => {
    expect(textOf(bytesOf("snp/turin-v5-ms.report.bin"), "reportedTcb")).toMatch(
      /^FMC 1, boot loader 1, TEE 1, SNP firmware 4, microcode 81$/m,
    );
    const old = textOf(bytesOf("snp/milan-v2-google-DEBUG.report.bin"), "reportedTcb");
    expect(old).toMatch(/^boot loader 2, TEE 0, SNP firmware 5, microcode 68$/m);
    expect(old).toContain("version 2 does not name the product");
  });

  test("firmware that says nothing of error correction is not said to have none", () => {
    expect(textOf(bytesOf("snp/milan-v2-google-DEBUG.report.bin"), "platformInfo")).toContain(
      "or firmware that does not say",
    );
  });

  test("each bit of Turin's PLATFORM_INFO that is set has a line", () => {
    const text = textOf(bytesOf("snp/turin-v5-ms.report.bin"), "platformInfo");
    const set = [...text.matchAll(/^1 {2}bit (\d)/gm)].map(([, bit]) => Number(bit));
    expect(set).toEqual([0, 2, 5, 6]);
  });
});

describe.skipIf(folder === null)("Azure", () => {
  test("registers of a TD into which nothing was measured are told, with where to look instead", () => {
    const [line] = linesOf(bytesOf("azure/tdx-v1.evidence.json"), "rtmr1");
    expect(line).toMatchObject({ tone: "careful" });
    expect(line?.text).toContain("virtual TPM's PCRs");
  });
});
