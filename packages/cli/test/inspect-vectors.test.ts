/** `blindbox inspect` on real Evidence: all of it is recognised, every field has words, and says what the case says. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { EncodingError } from "@blindbox/encoding";
import { describe, expect, test } from "vitest";
import { skipLine, vectorsFolder } from "../../../conformance/vectors.ts";
import { describe as describeBytes } from "../src/evidence/describe.ts";
import { otherFields, type Field, type Inspection } from "../src/evidence/inspection.ts";
import { writeInspection } from "../src/evidence/show.ts";

const folder = vectorsFolder();
if (folder === null) console.log(skipLine("inspect on real Evidence"));

/** A case as far as it is looked at here. */
interface Case {
  readonly file: string;
  readonly evidence: Uint8Array;
  readonly verdict: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The parts of one case's Evidence, by name. */
type Parts = Readonly<Partial<Record<"file" | "hclReport" | "quote" | "signature" | "pcrs" | "tdQuote", string>>>;

function casesOf(tee: string): readonly Case[] {
  const cases = join(folder ?? "", "cases", tee);
  return readdirSync(cases).map((name): Case => {
    const { evidence, expect: expected } = JSON.parse(readFileSync(join(cases, name), "utf8")) as {
      readonly evidence: Parts;
      readonly expect: { readonly verdict: string; readonly claims?: Case["claims"] };
    };
    const bytes = (path: string): Buffer => readFileSync(join(cases, path));
    return {
      file: name,
      evidence: evidenceOf(evidence, bytes),
      verdict: expected.verdict,
      claims: expected.claims ?? {},
    };
  });
}

/** As a file has it: for Azure the document in which a box has all parts, or the one part that there is. */
function evidenceOf({ file, ...parts }: Parts, bytes: (path: string) => Buffer): Uint8Array {
  const { hclReport, quote, signature, pcrs, tdQuote } = parts;
  const alone = file ?? (quote === undefined ? hclReport : undefined) ?? (hclReport === undefined ? quote : undefined);
  if (alone !== undefined) return new Uint8Array(bytes(alone));
  const text = (path: string | undefined): string | null =>
    path === undefined ? null : bytes(path).toString("base64url");
  const document = {
    type: "blindbox-azure-vtpm/1",
    hclReport: text(hclReport),
    quote: text(quote),
    signature: text(signature),
    tdQuote: text(tdQuote),
    pcrs: pcrs === undefined ? [] : (JSON.parse(bytes(pcrs).toString()) as unknown),
  };
  return new TextEncoder().encode(JSON.stringify(document));
}

function inspect(evidence: Uint8Array): Inspection | null {
  return describeBytes(evidence)?.inspection ?? null;
}

function fieldsOf({ sections, inside }: Inspection): readonly Field[] {
  return [...sections.flatMap(({ fields }) => fields), ...inside.flatMap(fieldsOf)];
}

function titlesOf({ sections, inside }: Inspection): readonly string[] {
  return [...sections.map(({ title }) => title), ...inside.flatMap(titlesOf)];
}

function printed(inspection: Inspection): string {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  writeInspection(stream, inspection);
  return chunks.join("");
}

/** Every text in the values of the fields, however deep. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [String(value)];
  return Object.values(value).flatMap(textsIn);
}

describe.skipIf(folder === null).each(["sev-snp", "tdx", "nitro", "azure-vtpm"])("%s", (tee) => {
  const cases = folder === null ? [] : casesOf(tee);

  test("all Evidence that can be decoded is shown, and no field is without words", () => {
    const decodable = cases.filter(({ verdict }) => verdict !== "malformed");
    expect(decodable.length).toBeGreaterThan(10);
    for (const { file, evidence } of decodable) {
      const inspection = readable(file, evidence);
      if (inspection === null) continue;
      expect(titlesOf(inspection), file).not.toContain(otherFields);
      const text = printed(inspection);
      for (const { label, lines } of fieldsOf(inspection)) {
        expect(lines.length, label).toBeGreaterThan(0);
        expect(text, file).toContain(label);
      }
    }
  });

  test("what a case claims of accepted Evidence is among what is shown", () => {
    const accepted = cases.filter(({ verdict }) => verdict === "accepted");
    for (const { file, evidence, claims } of accepted) {
      const inspection = inspect(evidence);
      if (inspection === null) throw new Error(`${file} was not recognised`);
      const shown = new Set(fieldsOf(inspection).flatMap(({ value }) => textsIn(value)));
      const hex = Object.entries(claims).flatMap(([name, value]) => hexClaim(name, value));
      for (const [name, value] of hex) expect(shown.has(value), `${file}: ${name}`).toBe(true);
    }
  });

  test("what cannot be decoded is refused with the field, or not recognised, and never a fault", () => {
    for (const { file, evidence } of cases.filter(({ verdict }) => verdict === "malformed")) {
      try {
        expect(inspect(evidence), file).not.toBeUndefined();
      } catch (error) {
        expect(error, file).toBeInstanceOf(EncodingError);
      }
    }
  });
});

/** Cases of rejected Evidence hold some whose certificates alone cannot be read. */
function readable(file: string, evidence: Uint8Array): Inspection | null {
  try {
    return inspect(evidence);
  } catch (error) {
    expect(error, file).toBeInstanceOf(EncodingError);
    return null;
  }
}

/** Claims of the Evidence itself; what the Endorsements say beside it is none. */
function hexClaim(name: string, value: unknown): readonly (readonly [string, string])[] {
  const isHex = typeof value === "string" && /^[0-9a-f]{16,}$/.test(value);
  return isHex && !/^(tcb|qe|pck)/.test(name) ? [[name, value]] : [];
}
