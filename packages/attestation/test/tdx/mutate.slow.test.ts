/** Every byte class of every real quote and of Intel's real Endorsements, turned over, cut and moved: refused, never a crash. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { fromBase64url, toBase64url } from "@blindbox/encoding";
import { skipLine, vectorsFolder } from "../../../../conformance/vectors.ts";
import { accepts, flipped, realCases, type RealCase } from "./real.ts";

const cases = await realCases();
const absent = vectorsFolder() === null;
if (absent) console.log(skipLine("mutations of real TD quotes"));

const named = cases.map((each) => [each.id, each] as const);
const complete = named.filter(([, { endorsements }]) => endorsements["tcbInfo"] !== null);

/** A step with no common divisor with the layout's, so that each field and each bit is met. */
const STEP = 7;

async function acceptedOf(mutants: Iterable<readonly [string, Promise<boolean>]>): Promise<string[]> {
  const accepted: string[] = [];
  for (const [name, judged] of mutants) if (await judged) accepted.push(name);
  return accepted;
}

test.skipIf(absent)("there are quotes of both versions, with and without Endorsements", () => {
  expect(cases.length).toBeGreaterThan(8);
  expect(complete.length).toBeGreaterThan(3);
  expect(new Set(cases.map(({ bytes }) => bytes[0]))).toEqual(new Set([4, 5]));
});

test.skipIf(absent).each(named)("%s: one bit of every byte turned over is refused", async (id, real) => {
  expect(await accepts(real)).toBe(true);
  // Every byte of two quotes, every seventh of the others.
  const step = id === complete.at(0)?.[0] || id.includes("v5-google") ? 1 : STEP;
  const mutants = function* (): Generator<readonly [string, Promise<boolean>]> {
    for (let at = 0; at < real.bytes.length; at += step) {
      yield [`byte ${at}`, accepts(real, { bytes: flipped(real.bytes, at, at % 8) })];
    }
  };
  expect(await acceptedOf(mutants())).toEqual([]);
});

test.skipIf(absent).each(named)("%s: cut at every length, or with a byte behind it, is refused", async (_id, real) => {
  for (let length = 0; length < real.bytes.length; length += 1) {
    expect(() => real.tee.parseEvidence(real.bytes.subarray(0, length))).toThrow(/truncated|bad-/);
  }
  for (const more of [0, 1, 0x0a, 0xff]) {
    expect(await accepts(real, { bytes: Buffer.concat([real.bytes, Uint8Array.of(more)]) })).toBe(false);
  }
});

const texts = ["tcbInfo", "qeIdentity", "tcbInfoIssuerChain", "qeIdentityIssuerChain", "pckCrlIssuerChain"];
const lists = ["rootCaCrl", "pckCrl"];

function textMutants(real: RealCase, part: string): Iterable<readonly [string, Promise<boolean>]> {
  const text = real.endorsements[part]?.trimEnd() ?? "";
  // White space that no signature covers may change, and be cut.
  const places = Array.from({ length: text.length }, (_, at) => at).filter((at) => text[at] !== "\n");
  return places
    .filter((_, index) => index % 5 === 0)
    .map((at) => {
      const code = text.charCodeAt(at) ^ (1 << (at % 5));
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      return [`${part} ${at}`, accepts(real, { endorsements: { ...real.endorsements, [part]: changed } })] as const;
    });
}

test.skipIf(absent).each(complete.slice(0, 2))(
  "%s: a character of Intel's texts changed is refused",
  async (_id, real) => {
    for (const part of texts) {
      if (real.endorsements[part] === null) continue;
      expect(await acceptedOf(textMutants(real, part))).toEqual([]);
    }
  },
);

test.skipIf(absent).each(complete.slice(0, 2))("%s: a bit of a CRL turned over is refused", async (_id, real) => {
  for (const part of lists) {
    const der = fromBase64url(real.endorsements[part] ?? "");
    const places = Array.from(der, (_byte, at) => at).filter((at) => at % 3 === 0);
    const mutants = places.map((at) => {
      const changed = toBase64url(flipped(der, at, at % 8));
      return [`${part} ${at}`, accepts(real, { endorsements: { ...real.endorsements, [part]: changed } })] as const;
    });
    expect(await acceptedOf(mutants)).toEqual([]);
  }
});

test.skipIf(absent).each(complete)(
  "%s: without any one part of Intel's, or with two swapped, is refused",
  async (_id, real) => {
    for (const part of [...texts, ...lists]) {
      const without = { ...real.endorsements, [part]: null };
      expect([part, await accepts(real, { endorsements: without })]).toEqual([part, part === "pckCrlIssuerChain"]);
      for (const other of [...texts, ...lists]) {
        if (real.endorsements[other] === real.endorsements[part] || real.endorsements[other] === null) continue;
        const swapped = {
          ...real.endorsements,
          [part]: real.endorsements[other] ?? null,
          [other]: real.endorsements[part] ?? null,
        };
        expect([part, other, await accepts(real, { endorsements: swapped })]).toEqual([part, other, false]);
      }
    }
  },
);

test.skipIf(absent)("a quote with the signature data, body or chain of another is refused", async () => {
  for (const one of cases) {
    for (const other of cases) {
      if (one === other || one.bytes.length !== other.bytes.length || one.bytes[0] !== other.bytes[0]) continue;
      for (const cut of [48, 568, 632, 764, 1148, 1212]) {
        const bytes = Buffer.concat([one.bytes.subarray(0, cut), other.bytes.subarray(cut)]);
        const same = Buffer.compare(bytes, one.bytes) === 0 || Buffer.compare(bytes, other.bytes) === 0;
        expect([one.id, other.id, cut, await accepts(one, { bytes })]).toEqual([one.id, other.id, cut, same]);
      }
    }
  }
});

test.skipIf(absent).each(complete)("%s: is judged by its time alone, to the second", async (_id, real) => {
  const read = real.tee.parseEvidence(real.bytes);
  const actuals = (now: number): Promise<string[]> =>
    read
      .authenticate(real.endorsements, real.policy, now)
      .then(({ findings }) => findings.filter(({ check }) => check.endsWith("-validity")).map(({ actual }) => actual));
  const ranges = (await actuals(real.now)).map((actual) => actual.split(" to ").map((each) => Date.parse(each) / 1000));
  expect(ranges.length).toBeGreaterThan(6);
  for (const [from = 0, to = 0] of ranges) {
    expect(await accepts(real, { now: from - 1 })).toBe(false);
    expect(await accepts(real, { now: to + 1 })).toBe(false);
  }
});

test.skipIf(absent)("Evidence in another envelope, or of another kind, is refused", async () => {
  const [real] = cases;
  if (real === undefined) throw new Error("no case");
  const { bytes } = real;
  const envelopes = [
    Buffer.from(Buffer.from(bytes).toString("base64")),
    Buffer.from(Buffer.from(bytes).toString("hex")),
    Buffer.from(JSON.stringify({ quote: Buffer.from(bytes).toString("base64") })),
    Buffer.concat([Uint8Array.of(0xd2), bytes]),
    Buffer.concat([Uint8Array.of(0x59, bytes.length >> 8, bytes.length & 0xff), bytes]),
    new Uint8Array(1184),
    new Uint8Array(64 * 1024 * 1024),
    createHash("sha256").update(bytes).digest(),
  ];
  for (const envelope of envelopes) expect(await accepts(real, { bytes: envelope })).toBe(false);
});
