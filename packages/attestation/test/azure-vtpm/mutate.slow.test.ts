/** Real machines with bytes flipped, cut, added and swapped: no mutant is ever accepted but for what nothing authenticates. */
import { describe, expect, test, vi } from "vitest";
import { skipLine, vectorsFolder } from "../../../../conformance/vectors.ts";
import { codeOf, documentOf, realMachines, realTee, type RealMachine, type RealParts } from "./real.ts";

// Thousands of signatures.
vi.setConfig({ testTimeout: 120_000 });

// One of each kind of hardware; the others go the same way.
const real = realMachines().filter(({ name }) => name === "snp-genoa" || name === "tdx-v1");
if (vectorsFolder() === null) console.log(skipLine("mutation of Azure's evidence"));

function flips(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte, at) => bytes.with(at, byte ^ (1 << (at % 8))));
}

function cuts(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, length) => bytes.slice(0, length));
}

/** Which of the changes were accepted, by their place in the list. */
async function accepted(each: RealMachine, changes: readonly Partial<RealParts>[]): Promise<readonly number[]> {
  const codes = await Promise.all(changes.map((change) => codeOf(each, change)));
  return codes.flatMap((code, at) => (code === null ? [at] : []));
}

/** CPUSVN and MAC of a TDREPORT: only the machine that made it can check them. */
function unauthenticated({ parts }: RealMachine): readonly number[] {
  if (parts.tdQuote === null) return [];
  return [...range(32 + 16, 16), ...range(32 + 224, 32)];
}

function range(from: number, length: number): number[] {
  return Array.from({ length }, (_, at) => from + at);
}

/** Behind the runtime data there is nothing but zeros, and how many is nobody's concern. */
function meaningfulLength(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

describe.each(real)("$name", (each) => {
  const { hclReport, quote, signature, pcrs, tdQuote } = each.parts;

  test("with any byte of the HCL report flipped is refused", async () => {
    const changes = flips(hclReport).map((mutant) => ({ hclReport: mutant }));
    expect(await accepted(each, changes)).toEqual(unauthenticated(each));
  });

  test("with any byte of the quote or its signature flipped is refused", async () => {
    const changes = [
      ...flips(quote).map((mutant) => ({ quote: mutant })),
      ...flips(signature).map((mutant) => ({ signature: mutant })),
    ];
    expect(await accepted(each, changes)).toEqual([]);
  });

  test("with any byte of any PCR flipped, or any two PCRs that differ swapped, is refused", async () => {
    const flipped = pcrs.flatMap((pcr, at) =>
      flips(new Uint8Array(Buffer.from(pcr ?? "", "hex"))).map((mutant) => ({
        pcrs: pcrs.with(at, Buffer.from(mutant).toString("hex")),
      })),
    );
    const swapped = range(0, 24).flatMap((at) =>
      range(0, at)
        .filter((other) => pcrs[at] !== pcrs[other])
        .map((other) => ({ pcrs: pcrs.with(at, pcrs[other] ?? null).with(other, pcrs[at] ?? null) })),
    );
    expect(flipped).toHaveLength(24 * 32);
    expect(await accepted(each, [...flipped, ...swapped])).toEqual([]);
  });

  test("with a PCR left out is refused", async () => {
    const changes = range(0, 24).flatMap((at) => [{ pcrs: pcrs.with(at, null) }, { pcrs: pcrs.toSpliced(at, 1) }]);
    expect(await accepted(each, changes)).toEqual([]);
  });

  test("with any part cut at any length, or longer, is refused", async () => {
    const end = meaningfulLength(hclReport);
    const longer = [1, 0x7d, 0xff];
    const changes = [
      ...cuts(hclReport.slice(0, end)).map((mutant) => ({ hclReport: mutant })),
      ...cuts(quote).map((mutant) => ({ quote: mutant })),
      ...cuts(signature).map((mutant) => ({ signature: mutant })),
      ...longer.map((byte) => ({ hclReport: new Uint8Array([...hclReport, byte]) })),
      ...[0, ...longer].map((byte) => ({ quote: new Uint8Array([...quote, byte]) })),
      ...[0, ...longer].map((byte) => ({ signature: new Uint8Array([...signature, byte]) })),
    ];
    expect(await accepted(each, changes)).toEqual([]);
    expect(await accepted(each, [{ hclReport: hclReport.slice(0, end) }])).toEqual([0]);
  });

  test("with the document cut at any length, or longer, is refused", () => {
    const document = documentOf(each);
    const mutants = [...cuts(document), ...[0, 0x0a, 0x20, 0x7d].map((byte) => new Uint8Array([...document, byte]))];
    for (const mutant of mutants) expect(() => realTee.parseEvidence(mutant)).toThrow();
  });

  // On SEV-SNP there is no quote below.
  if (tdQuote === null) return;

  test("with bytes of the TD quote flipped, cut or crossed is refused", async () => {
    const bytes = tdQuote;
    const end = 636 + (bytes[632] ?? 0) + 256 * (bytes[633] ?? 0);
    const changes = [
      // The TEE below has each byte of it flipped on its own.
      ...flips(bytes).filter((_, at) => at % 17 === 0 || at >= end),
      ...cuts(bytes.slice(0, end)).filter((_, at) => at % 11 === 0),
      ...[1, 0xff].map((byte) => new Uint8Array([...bytes, byte])),
    ].map((mutant) => ({ tdQuote: mutant }));
    expect(await accepted(each, changes)).toEqual([]);
    expect(await accepted(each, [{ tdQuote: bytes.slice(0, end) }])).toEqual([0]);
  });
});
