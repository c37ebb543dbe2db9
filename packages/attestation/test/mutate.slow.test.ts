/** Bytes that were cut, flipped or added to, one by one: no such exchange is ever accepted. */
import { describe, expect, test, vi } from "vitest";
import type { AttestationResult } from "@blindbox/attestation";
import { exchange, vendor, type Exchange } from "./box.ts";
import { base64url } from "./vendor.ts";

// Thousands of exchanges with five signatures each.
vi.setConfig({ testTimeout: 120_000 });

type Der = "device" | "intermediate" | "root's CRL" | "intermediate's CRL";
const ders: readonly Der[] = ["device", "intermediate", "root's CRL", "intermediate's CRL"];

const originals: Readonly<Record<Der, Uint8Array>> = {
  device: vendor.device.der,
  intermediate: vendor.intermediate.der,
  "root's CRL": vendor.rootCrl,
  "intermediate's CRL": vendor.intermediateCrl,
};

/** The same exchange with one of its parts replaced, which costs no signature. */
function replaced({ document, input }: Exchange, part: Der | "report", bytes: Uint8Array): string {
  const text = String(input.document);
  const original = part === "report" ? document.evidence : originals[part];
  const [before, after, ...more] = text.split(`"${base64url(original)}"`);
  if (after === undefined || more.length > 0) throw new Error(`${part} stands not exactly once in the document`);
  return `${before}"${base64url(bytes)}"${after}`;
}

function flips(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte, at) => bytes.with(at, byte ^ (1 << (at % 8))));
}

function cuts(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, length) => bytes.slice(0, length));
}

function additions(bytes: Uint8Array): Uint8Array[] {
  return [0, 0x30, 0xff].map((byte) => Buffer.concat([bytes, Buffer.of(byte)]));
}

async function statuses(
  right: Exchange,
  bodies: readonly (string | Uint8Array)[],
): Promise<AttestationResult["status"][]> {
  const results = await Promise.all(bodies.map((document) => right.verify({ ...right.input, document })));
  return [...new Set(results.map((result) => result.status))];
}

const right = await exchange();

test("the exchange that is mutated here is right", async () => {
  expect(await statuses(right, [String(right.input.document)])).toEqual(["warning"]);
});

describe.each(["report", ...ders] as const)("the %s", (part) => {
  const bytes = part === "report" ? right.document.evidence : originals[part];
  const bodies = (mutants: readonly Uint8Array[]): string[] => mutants.map((mutant) => replaced(right, part, mutant));

  test("with any byte flipped is refused", async () => {
    expect(flips(bytes).length).toBeGreaterThan(200);
    expect(await statuses(right, bodies(flips(bytes)))).toEqual(["contraindicated"]);
  });

  test("cut at any length is refused", async () => {
    expect(await statuses(right, bodies(cuts(bytes)))).toEqual(["contraindicated"]);
  });

  test("with a byte behind it is refused", async () => {
    expect(await statuses(right, bodies(additions(bytes)))).toEqual(["contraindicated"]);
  });
});

test("the document cut at any length is refused", async () => {
  const body = Buffer.from(String(right.input.document));
  expect(await statuses(right, cuts(body))).toEqual(["contraindicated"]);
});

test("the document with any byte flipped is refused", async () => {
  const body = Buffer.from(String(right.input.document));
  expect(await statuses(right, flips(body))).toEqual(["contraindicated"]);
});

test("the Statement with any byte flipped is refused", async () => {
  const quoted = JSON.stringify(right.document.statement);
  const [before = "", after] = String(right.input.document).split(quoted);
  expect(after).toBeDefined();
  const mutants = flips(Buffer.from(right.document.statement)).map((bytes) => Buffer.from(bytes).toString("latin1"));
  const bodies = mutants.map((statement) => `${before}${JSON.stringify(statement)}${after}`);
  expect(await statuses(right, bodies)).toEqual(["contraindicated"]);
});
