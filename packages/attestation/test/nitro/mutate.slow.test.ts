/** Bytes of real documents that were cut, flipped or added to, one by one: no such document is ever accepted. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { nitro, parseNitroDocument, strictPolicy, type Tee } from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import { skipLine, vectorFiles } from "../../../../conformance/vectors.ts";
import { fakeTee, refusalsOf } from "./appraise.ts";
import { mintAws } from "./vendor.ts";

// Thousands of documents, many of them with a signature to verify.
vi.setConfig({ testTimeout: 60_000 });

const [real] = vectorFiles(["nitro/prod-dstack-2025.cose"]);
if (real === undefined) console.log(skipLine("mutations of a real document"));
const now = 1_766_678_660;

let tee: Tee;
let bytes: Uint8Array;

beforeAll(async () => {
  tee = nitro();
  bytes = real === undefined ? mintAws().bytes : new Uint8Array(readFileSync(real));
  if (real !== undefined) expect(await refusals(bytes)).toEqual([]);
});

function refusals(document: Uint8Array): Promise<readonly string[]> {
  return refusalsOf(document, { tee, endorsements: {}, policy: strictPolicy, now });
}

/** Which of the mutants were accepted, by their place in the list. */
async function accepted(mutants: Iterable<Uint8Array>): Promise<readonly number[]> {
  const passed: number[] = [];
  let at = 0;
  for (const mutant of mutants) {
    if ((await refusals(mutant)).length === 0) passed.push(at);
    at += 1;
  }
  expect(at).toBeGreaterThan(0);
  return passed;
}

function* set(document: Uint8Array, change: (byte: number, at: number) => number): Generator<Uint8Array> {
  for (let at = 0; at < document.length; at += 1) {
    const byte = document[at] ?? 0;
    const changed = change(byte, at) & 0xff;
    if (changed !== byte) yield document.with(at, changed);
  }
}

describe.skipIf(real === undefined)("a real document", () => {
  test("with one bit of any byte flipped", async () => {
    expect(await accepted(set(bytes, (byte, at) => byte ^ (1 << (at % 8))))).toEqual([]);
  });

  test.each<readonly [string, (byte: number) => number]>([
    ["zero", () => 0],
    ["the largest value", () => 0xff],
    ["one more", (byte) => byte + 1],
    ["one less", (byte) => byte - 1],
  ])("with any byte of its heads, its first member and its signature set to %s", async (_name, change) => {
    const edge = [...set(bytes, (byte, at) => (at < 160 || at > bytes.length - 110 ? change(byte) : byte))];
    expect(await accepted(edge)).toEqual([]);
  });

  test("cut at any length, from either end", async () => {
    expect(await accepted(Array.from(bytes, (_, length) => bytes.subarray(0, length)))).toEqual([]);
    expect(await accepted(Array.from({ length: 64 }, (_, start) => bytes.subarray(start + 1)))).toEqual([]);
  });

  test("with any byte behind it", async () => {
    const behind = Array.from({ length: 256 }, (_, byte) => Buffer.concat([bytes, Uint8Array.of(byte)]));
    expect(await accepted(behind)).toEqual([]);
  });

  test("with a byte more or a byte less in any place of its first 600", async () => {
    const places = Array.from({ length: 600 }, (_, at) => at);
    const more = places.map((at) => Buffer.concat([bytes.subarray(0, at), Uint8Array.of(0), bytes.subarray(at)]));
    const less = places.map((at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]));
    expect(await accepted([...more, ...less])).toEqual([]);
  });
});

test("64 MiB of anything is refused without being looked at", () => {
  for (const byte of [0x00, 0x81, 0x84, 0x9f, 0xbf, 0xd2, 0xff]) {
    expect(() => tee.parseEvidence(new Uint8Array(64 << 20).fill(byte))).toThrow(EncodingError);
  }
});

test("whatever the bytes, the parser returns or throws an EncodingError", () => {
  const right = mintAws().bytes;
  const spliced = fc
    .tuple(fc.nat(right.length - 1), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    .map(([at, cut, into]) => Buffer.concat([right.subarray(0, at), into, right.subarray(at + cut)]));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 2000 }), spliced), (input) => {
      try {
        parseNitroDocument(new Uint8Array(input));
      } catch (error) {
        expect(error).toBeInstanceOf(EncodingError);
      }
    }),
    { numRuns: 5000 },
  );
});

test("Evidence of other kinds is no document", () => {
  for (const file of vectorFiles([".report.bin", ".quote.bin", "hcl.bin", ".pem", ".json"]).slice(0, 60)) {
    expect(() => fakeTee().parseEvidence(new Uint8Array(readFileSync(file)))).toThrow(EncodingError);
  }
});
