/** What `blindbox inspect` makes of bytes in every form and encoding, and of bytes that are none. */
import { formatEvidenceDocument, parseEvidenceDocument } from "@blindbox/attestation";
import { EncodingError, fromHex, toBase64, toBase64url, toHex, utf8 } from "@blindbox/encoding";
import { beforeAll, describe, expect, test } from "vitest";
import { evidenceFor, makeWorld, type Asked } from "../../client/test/fake-box/index.ts";
import { describe as describeBytes, knownStranger } from "../src/evidence/describe.ts";
import type { Field, Inspection, Line } from "../src/evidence/inspection.ts";
import { bitLines } from "../src/evidence/words/bits.ts";
import { selfSigned } from "./certificate.ts";

let document = "";
let report = new Uint8Array();

beforeAll(async () => {
  const asked = { nonce: new Uint8Array(32).fill(7), exporter: new Uint8Array(32).fill(9) } as unknown as Asked;
  document = await evidenceFor(await makeWorld(), asked);
  report = new Uint8Array(parseEvidenceDocument(document).evidence);
});

function kindOf(bytes: Uint8Array): string | null {
  return describeBytes(bytes)?.inspection.kind ?? null;
}

function fieldsOf({ sections, inside }: Inspection): readonly Field[] {
  return [...sections.flatMap(({ fields }) => fields), ...inside.flatMap(fieldsOf)];
}

function linesOf(bytes: Uint8Array, name: string): readonly Line[] {
  const inspection = describeBytes(bytes)?.inspection;
  return inspection === undefined ? [] : (fieldsOf(inspection).find((field) => field.name === name)?.lines ?? []);
}

describe("forms", () => {
  test("a report of the simulator says before anything else that it protects nothing", () => {
    expect(kindOf(report)).toBe("simulated-report");
    expect(linesOf(report, "simulated")).toEqual([
      { tone: "bad", text: "none: whoever runs the simulator reads and changes all that is in the box" },
    ]);
  });

  test("a document is shown with its Statement, and its Evidence inside", () => {
    const found = describeBytes(utf8(`${document}\n`));
    expect(found).toMatchObject({
      encoding: "JSON",
      inspection: { kind: "evidence-document", inside: [{ kind: "simulated-report" }] },
    });
    expect(linesOf(utf8(document), "tee")).toMatchObject([{ tone: "bad" }]);
    expect(linesOf(utf8(document), "selfTest")).toEqual([{ tone: "good", text: "22 ways out tried, all denied" }]);
    expect(linesOf(utf8(document), "time")[0]?.text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test("what editors put around JSON does not hide it", () => {
    for (const text of [`\ufeff${document}`, `\r\n  ${document}\r\n\n`])
      expect(kindOf(utf8(text))).toBe("evidence-document");
  });

  test("a way out that was open, and a Statement that cannot be read, are shown as such", () => {
    const parsed = parseEvidenceDocument(document);
    const altered = formatEvidenceDocument({
      ...parsed,
      statement: "{}",
      selfTest: parsed.selfTest.replace('"udp":"denied"', '"udp":"allowed"'),
    });
    expect(linesOf(utf8(altered), "selfTest")).toEqual([{ tone: "bad", text: "udp: allowed" }]);
    expect(linesOf(utf8(altered), "unread")).toMatchObject([{ tone: "bad" }]);
  });

  test("a certificate says whose it is, and several in one file are told apart", async () => {
    const { cert } = await selfSigned();
    expect(kindOf(utf8(cert))).toBe("certificate");
    expect(kindOf(utf8(cert + cert))).toBe("certificates");
  });
});

describe("encodings", () => {
  test.each<[string, (bytes: Uint8Array) => string]>([
    ["hex", toHex],
    ["hex", (bytes) => `0x${toHex(bytes).toUpperCase()}\n`],
    ["hex", (bytes) => toHex(bytes).replace(/(.{32})/g, "$1\n")],
    ["base64", toBase64],
    ["base64", (bytes) => toBase64(bytes).replace(/(.{76})/g, "$1\r\n")],
    ["PEM", (bytes) => `-----BEGIN REPORT-----\n${toBase64(bytes)}\n-----END REPORT-----\n`],
  ])("a report in %s", (encoding, encode) => {
    expect(describeBytes(utf8(encode(report)))).toMatchObject({ encoding, inspection: { kind: "simulated-report" } });
  });

  test("a report in base64url", () => {
    expect(kindOf(utf8(toBase64url(report)))).toBe("simulated-report");
  });

  test("text around a block of PEM, or another ending than its beginning, is not read as a report", () => {
    expect(kindOf(utf8(`x\n-----BEGIN REPORT-----\n${toBase64(report)}\n-----END REPORT-----\n`))).toBeNull();
    expect(kindOf(utf8(`-----BEGIN REPORT-----\n${toBase64(report)}\n-----END OTHER-----\n`))).toBeNull();
  });
});

describe("bytes that are no Evidence", () => {
  test.each<[string, Uint8Array]>([
    ["one byte", new Uint8Array(1)],
    ["zeros", new Uint8Array(4096)],
    ["ones", new Uint8Array(1184).fill(0xff)],
    ["text", utf8("hello, world\n")],
    ["a shell script", utf8("#!/bin/sh\nexit 0\n")],
    ["JSON of another kind", utf8('{"type":"blindbox-release/1"}')],
    ["JSON that is cut short", utf8('{"type":')],
    ["an empty object", utf8("{}")],
    ["hex of nothing known", utf8("00ff00ff")],
    ["an unknown PEM block", utf8("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n")],
  ])("%s", (_what, bytes) => {
    expect(describeBytes(bytes)).toBeNull();
  });

  test("an SGX quote and a token of an attestation service are named", () => {
    expect(knownStranger(Uint8Array.of(3, 0, 2, 0, ...new Uint8Array(600)))).toContain("SGX");
    expect(knownStranger(utf8("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln"))).toContain("token");
    expect(knownStranger(new Uint8Array(600))).toBeNull();
  });

  test("a report that is cut at any length is refused with its field, or not recognised", () => {
    for (let length = 1; length < report.length; length += 1) expectTyped(report.slice(0, length));
  });

  test("a document that is cut at any length is refused with its field, or not recognised", () => {
    for (let length = 1; length < document.length; length += 97) expectTyped(utf8(document.slice(0, length)));
  });

  test("beginnings of every known kind with nothing sensible behind them are refused with their field", () => {
    const starts = ["84 44 a1 01 38 22", "d2 84 44 a1 01 38 22", "04000200 81000000", "05000200 81000000", "48434c41"];
    for (const start of [...starts, "ff544347 8018", "4242 53494d 00", "30820100 30820080 a003020102"]) {
      for (const more of [0, 1, 100, 1184, 5000]) {
        const bytes = Uint8Array.of(...fromHex(start.replaceAll(" ", "")), ...new Uint8Array(more).fill(0x5a));
        expect(() => describeBytes(bytes), `${start} and ${more} bytes`).toThrow(EncodingError);
      }
    }
  });
});

function expectTyped(bytes: Uint8Array): void {
  try {
    expect(describeBytes(bytes)).toBeNull();
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError);
  }
}

describe("bits", () => {
  test("one that nobody has named is told, and is bad", () => {
    const bits = [[0, "ONE", ["good", "on"], ["bad", "off"]]] as const;
    expect(bitLines(1n, bits)).toEqual([{ tone: "good", text: "1  bit 0   ONE  on" }]);
    expect(bitLines(0x8000000000000000n, bits)).toEqual([
      { tone: "bad", text: "0  bit 0   ONE  off" },
      { tone: "bad", text: "set without a meaning that is known here: bits 63" },
    ]);
  });
});
