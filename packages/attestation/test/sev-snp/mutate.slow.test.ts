/** Real evidence with bytes flipped, cut, added, crossed and swapped: no mutant is ever accepted, and each ends in a verdict. */
import { describe, expect, test, vi } from "vitest";
import { skipLine, vectorsFolder } from "../../../../conformance/vectors.ts";
import { base64url } from "../vendor.ts";
import { codeOf, realEvidence, type RealChange, type RealEvidence } from "./real.ts";
import type { AmdEndorsements } from "./vendor.ts";

// Thousands of signatures.
vi.setConfig({ testTimeout: 120_000 });

const real = realEvidence();
if (vectorsFolder() === null) console.log(skipLine("mutation of SEV-SNP evidence"));

type Part = "ek" | "issuer" | "root" | "crl";
const parts: readonly Part[] = ["ek", "issuer", "root", "crl"];

function textOf({ ek, issuers, crls }: AmdEndorsements, part: Part): string | null {
  const [issuer = null, root = null] = issuers;
  return { ek, issuer, root, crl: crls[0] ?? null }[part];
}

function withPart({ endorsements }: RealEvidence, part: Part, der: Uint8Array): RealChange {
  const text = base64url(der);
  const [issuer = "", root = ""] = endorsements.issuers;
  const changes: Readonly<Record<Part, Partial<AmdEndorsements>>> = {
    ek: { ek: text },
    issuer: { issuers: [text, root] },
    root: { issuers: [issuer, text] },
    crl: { crls: [text] },
  };
  return { endorsements: changes[part] };
}

function flips(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte, at) => bytes.with(at, byte ^ (1 << (at % 8))));
}

function cuts(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, length) => bytes.slice(0, length));
}

function additions(bytes: Uint8Array): Uint8Array[] {
  return [0, 0x30, 0xff].map((byte) => new Uint8Array([...bytes, byte]));
}

/** How many of the changes were accepted. */
async function accepted(each: RealEvidence, changes: readonly RealChange[]): Promise<number> {
  const codes = await Promise.all(changes.map((change) => codeOf(each, change)));
  return codes.filter((code) => code === null).length;
}

describe.each(real)("$name", (each) => {
  test("is right as it is", async () => {
    expect(await codeOf(each)).toBeNull();
  });

  test("with any byte of the report flipped is refused", async () => {
    const changes = flips(each.report).map((report) => ({ report }));
    expect(changes).toHaveLength(1184);
    expect(await accepted(each, changes)).toBe(0);
    expect(await codeOf(each)).toBeNull();
  });

  test("with the report cut at any length, or longer, is refused", async () => {
    const changes = [...cuts(each.report), ...additions(each.report)].map((report) => ({ report }));
    expect(await accepted(each, changes)).toBe(0);
  });

  test.each(parts)("with the %s flipped at any byte, cut at any length, or longer, is refused", async (part) => {
    const text = textOf(each.endorsements, part);
    if (text === null) return;
    const der = new Uint8Array(Buffer.from(text, "base64url"));
    const mutants = [...flips(der), ...cuts(der), ...additions(der)];
    expect(
      await accepted(
        each,
        mutants.map((mutant) => withPart(each, part, mutant)),
      ),
    ).toBe(0);
    expect(await codeOf(each)).toBeNull();
  });

  test("with Endorsements of any other is refused", async () => {
    const others = real.filter((other) => other !== each);
    const eks = others.map(({ endorsements }) => ({ endorsements: { ek: endorsements.ek } }));
    const whole = others.map(({ endorsements: { ek, issuers } }) => ({ endorsements: { ek, issuers } }));
    const own = each.endorsements.issuers.join();
    const issuers = others
      .filter((other) => other.endorsements.issuers.join() !== own)
      .map((other) => ({ endorsements: { issuers: other.endorsements.issuers } }));
    const reports = others.map(({ report }) => ({ report }));
    expect(await accepted(each, [...eks, ...whole, ...issuers, ...reports])).toBe(0);
  });

  test("with its chain in another order, or parts of it in the place of others, is refused", async () => {
    const [issuer = "", root = ""] = each.endorsements.issuers;
    const { ek } = each.endorsements;
    const lists = [
      [],
      [issuer],
      [root],
      [root, issuer],
      [issuer, issuer],
      [root, root],
      [ek ?? "", root],
      [issuer, root, root],
    ];
    const changes: RealChange[] = [
      ...lists.map((issuers) => ({ endorsements: { issuers } })),
      ...[issuer, root, null, ""].map((text) => ({ endorsements: { ek: text } })),
    ];
    expect(await accepted(each, changes)).toBe(0);
  });
});

test.skipIf(real.length === 0)("every bit of key info, guest policy and platform info is signed", async () => {
  const [each] = real;
  if (each === undefined) throw new Error("there is real evidence");
  const changes = [0x08, 0x40, 0x48].flatMap((from) =>
    Array.from({ length: from === 0x48 ? 32 : 64 }, (_, bit) => {
      const at = from + (bit >> 3);
      return { report: each.report.with(at, (each.report[at] ?? 0) ^ (1 << (bit & 7))) };
    }),
  );
  expect(await accepted(each, changes)).toBe(0);
});
