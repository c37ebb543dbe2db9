import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import {
  bindingOf,
  formatEvidenceDocument,
  leafHash,
  parseEvidenceDocument,
  parseStatement,
} from "@blindbox/attestation";
import { equalBytes, fromBase64url, type JsonValue, merkleRoot, toHex } from "@blindbox/encoding";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAttester, type AttesterLimits, attesterLimits } from "../src/attester/index.ts";
import { buildBatch } from "../src/attester/batch.ts";
import { documentText } from "../src/attester/document-text.ts";
import { createBatchQueue } from "../src/attester/queue.ts";
import type { Attester, EvidenceProvider } from "../src/parts.ts";

const digest = `sha256:${"a".repeat(64)}`;
const facts = {
  runtime: digest,
  manifest: digest,
  tls: digest,
  channel: null,
  sandbox: { driver: "rooted", selfTest: digest },
};

interface Device extends EvidenceProvider {
  readonly bindings: Uint8Array[];
  atOnce: number;
}

/** Takes `ms` for a report, as a hardware device does, and remembers what it was asked to sign. */
function slowDevice(ms: number): Device {
  let busy = 0;
  const device: Device = {
    tee: "simulated",
    bindings: [],
    atOnce: 0,
    async getEvidence(binding) {
      busy += 1;
      device.atOnce = Math.max(device.atOnce, busy);
      device.bindings.push(binding);
      await setTimeout(ms);
      busy -= 1;
      return { evidence: binding, endorsements: { chain: [] } };
    },
  };
  return device;
}

function attesterOn(
  provider: EvidenceProvider,
  limits: Partial<AttesterLimits> = {},
  now = Date.now,
): Promise<Attester> {
  const all = { ...attesterLimits, ...limits };
  const heads = () => ({ ledger: digest, audit: digest });
  return createAttester({
    provider,
    facts,
    heads,
    selfTest: '{"x":"denied"}',
    manifest: '{"y":1}',
    now,
    limits: all,
  });
}

async function rootOf(text: string, leaf: Uint8Array): Promise<Uint8Array> {
  const { proof } = parseEvidenceDocument(text);
  return proof === null ? new Uint8Array() : merkleRoot(leaf, proof);
}

const formatted = formatEvidenceDocument({
  tee: "simulated",
  evidence: new Uint8Array(64),
  endorsements: null,
  statement: "{}",
  selfTest: "{}",
  proof: null,
  manifest: "{}",
  release: null,
});

function challengeOf(text: string): Uint8Array {
  return fromBase64url(parseStatement(parseEvidenceDocument(text).statement).challenge, "challenge");
}

describe("a thousand callers at once", () => {
  it("cost at most three reports, and each gets a proof of its own nonce", async () => {
    const device = slowDevice(50);
    const attester = await attesterOn(device);
    const leaves = await Promise.all(
      Array.from({ length: 1000 }, () => leafHash("tls-exporter", randomBytes(32), randomBytes(32))),
    );
    const before = device.bindings.length;
    const texts = await Promise.all(leaves.map((leaf) => attester.attest(leaf)));
    expect(device.bindings.length - before).toBeLessThanOrEqual(3);
    expect(device.atOnce).toBe(1);
    for (const [at, text] of texts.entries()) {
      expect(equalBytes(await rootOf(text, leaves[at] ?? new Uint8Array()), challengeOf(text))).toBe(true);
    }
    const other = leaves[1] ?? new Uint8Array();
    expect(equalBytes(await rootOf(texts[0] ?? "", other), challengeOf(texts[0] ?? ""))).toBe(false);
  });

  it("who come in over time share reports with those who came while the device was busy", async () => {
    const device = slowDevice(50);
    const attester = await attesterOn(device);
    const before = device.bindings.length;
    const first = attester.attest(randomBytes(32));
    await expect.poll(() => device.bindings.length).toBe(before + 1);
    const later = Array.from({ length: 300 }, () => attester.attest(randomBytes(32)));
    const texts = await Promise.all([first, ...later]);
    expect(device.bindings.length - before).toBe(2);
    expect(new Set(texts.map((text) => parseEvidenceDocument(text).statement)).size).toBe(2);
  });

  it("more than a tree takes are answered by the next one", async () => {
    const device = slowDevice(1);
    const attester = await attesterOn(device);
    const before = device.bindings.length;
    const ask = createBatchQueue<number, number>({
      maxBatch: 4096,
      maxWaiting: 5000,
      answer: async (items) => items.map(() => items.length),
    });
    expect(new Set(await Promise.all(Array.from({ length: 5000 }, (_, each) => ask(each))))).toEqual(
      new Set([4096, 904]),
    );
    await attester.attest(randomBytes(32));
    expect(device.bindings.length - before).toBe(1);
  });
});

describe("the text of a batch's document", () => {
  const proofs = fc.record({
    index: fc.integer({ min: 0, max: 4095 }),
    size: fc.integer({ min: 1, max: 4096 }),
    path: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 12 }),
  });
  const lookalike = '{"proof":null,"release":null}';

  it("is with any proof what formatting the whole document would give", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.array(proofs, { maxLength: 5 }), (manifest, some) => {
        const document = {
          tee: "simulated" as const,
          evidence: new Uint8Array(64),
          endorsements: { proof: null, release: null, chain: [lookalike, null] },
          statement: lookalike,
          selfTest: `"proof":null,${lookalike}`,
          proof: null,
          manifest: lookalike + manifest,
          release: { proof: null },
        };
        const text = documentText(document);
        for (const proof of [null, ...some]) expect(text(proof)).toBe(formatEvidenceDocument({ ...document, proof }));
      }),
    );
  });

  it("is refused once where it would be too long to be read", () => {
    const document = { ...parseEvidenceDocument(formatted), manifest: "x".repeat(5 * 1024 * 1024) };
    expect(() => documentText(document)).toThrow(/limit-exceeded/);
  });

  it("is made once for all callers of the batch", async () => {
    let reads = 0;
    const endorsements: JsonValue = {
      get chain() {
        reads += 1;
        return [];
      },
    };
    const getEvidence = async (binding: Uint8Array) => ({ evidence: binding, endorsements });
    const attester = await attesterOn({ tee: "simulated", getEvidence });
    const readsBy = async (callers: number): Promise<number> => {
      reads = 0;
      await Promise.all(Array.from({ length: callers }, () => attester.attest(randomBytes(32))));
      return reads;
    };
    expect(await readsBy(200)).toBe(await readsBy(1));
  });
});

describe("the Statement", () => {
  it("says which ledger head was in force when the device was asked", async () => {
    let entries = 0;
    const provider = slowDevice(0);
    const heads = () => ({ ledger: `sha256:${String(entries++).repeat(64)}`, audit: null });
    const attester = await createAttester({
      provider,
      facts,
      heads,
      selfTest: "{}",
      manifest: "{}",
      now: Date.now,
    });
    const texts = [await attester.attest(randomBytes(32)), await attester.attest(randomBytes(32))];
    const ledgers = texts.map((text) => parseStatement(parseEvidenceDocument(text).statement).ledger);
    expect(ledgers).toEqual([`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`]);
  });

  it("is what the device signs, and says what the box is", async () => {
    const device = slowDevice(0);
    const attester = await attesterOn(device, {}, () => 1_234_567_890_999);
    const text = await attester.attest(randomBytes(32));
    const { tee, evidence, statement, selfTest, manifest, release } = parseEvidenceDocument(text);
    expect(toHex(evidence)).toBe(toHex(await bindingOf(statement)));
    expect(parseStatement(statement)).toMatchObject({
      ...facts,
      type: "blindbox-statement/1",
      tee: "simulated",
      time: 1_234_567_890,
    });
    expect({ tee, selfTest, manifest, release }).toEqual({
      tee: "simulated",
      selfTest: '{"x":"denied"}',
      manifest: '{"y":1}',
      release: null,
    });
  });

  it("of the boot has a challenge of 32 random bytes and no proof", async () => {
    const texts = [await (await attesterOn(slowDevice(0))).latest(), await (await attesterOn(slowDevice(0))).latest()];
    const challenges = texts.map((text) => challengeOf(text));
    expect(challenges.map(({ length }) => length)).toEqual([32, 32]);
    expect(toHex(challenges[0] ?? new Uint8Array())).not.toBe(toHex(challenges[1] ?? new Uint8Array()));
    expect(texts.map((text) => parseEvidenceDocument(text).proof)).toEqual([null, null]);
  });

  it("of latest is made anew when it is old, once for all who ask meanwhile", async () => {
    let now = 1_000_000;
    const device = slowDevice(5);
    const attester = await attesterOn(device, { latestAge: 60_000 }, () => now);
    const first = await attester.latest();
    now += 59_999;
    expect(await attester.latest()).toBe(first);
    now += 1;
    const [one, two] = await Promise.all([attester.latest(), attester.latest()]);
    expect(one).not.toBe(first);
    expect(two).toBe(one);
    expect(device.bindings).toHaveLength(2);
  });
});

describe("a device that fails", () => {
  it("leaves no box behind at boot", async () => {
    const provider: EvidenceProvider = { tee: "simulated", getEvidence: () => Promise.reject(new Error("gone")) };
    await expect(attesterOn(provider)).rejects.toMatchObject({ code: "device-failed", cause: { message: "gone" } });
  });

  it("fails the whole batch, and nothing after it", async () => {
    let fails = false;
    const provider: EvidenceProvider = {
      tee: "simulated",
      getEvidence: async (binding) => {
        if (fails) throw new Error("gone");
        return { evidence: binding, endorsements: null };
      },
    };
    const attester = await attesterOn(provider);
    fails = true;
    const results = await Promise.allSettled([attester.attest(randomBytes(32)), attester.attest(randomBytes(32))]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    fails = false;
    await expect(attester.attest(randomBytes(32))).resolves.toContain("blindbox-evidence/1");
  });

  it("to answer in time fails like any other", async () => {
    let hangs = false;
    const provider: EvidenceProvider = {
      tee: "simulated",
      getEvidence: async (binding) => {
        if (hangs) await new Promise(() => {});
        return { evidence: binding, endorsements: null };
      },
    };
    const attester = await attesterOn(provider, { device: 20 });
    hangs = true;
    await expect(attester.attest(randomBytes(32))).rejects.toMatchObject({
      code: "device-failed",
      cause: { name: "TimeoutError" },
    });
  });

  it("to keep up refuses who would wait beyond the queue", async () => {
    const attester = await attesterOn(slowDevice(20), { waiting: 3 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => attester.attest(randomBytes(32))));
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    expect(results[4]).toMatchObject({ reason: { code: "queue-full" } });
  });
});

describe("a batch", () => {
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 1000, 4096])(
    "of %i leaves is padded to a power of two, and every proof leads to its challenge",
    async (count) => {
      const leaves = Array.from({ length: count }, () => new Uint8Array(randomBytes(32)));
      const { challenge, proofs } = await buildBatch(leaves);
      const size = proofs[0]?.size ?? 0;
      expect(size).toBe(2 ** Math.ceil(Math.log2(count)));
      expect(new Set(proofs.map(({ index }) => index)).size).toBe(count);
      for (const [at, proof] of proofs.entries()) {
        expect(equalBytes(await merkleRoot(leaves[at] ?? new Uint8Array(), proof), challenge)).toBe(true);
      }
    },
  );

  it("pads with other leaves each time, at other places", async () => {
    const leaves = Array.from({ length: 5 }, (_, at) => new Uint8Array(32).fill(at));
    const batches = await Promise.all(Array.from({ length: 50 }, () => buildBatch(leaves)));
    expect(new Set(batches.map(({ challenge }) => toHex(challenge))).size).toBe(50);
    expect(new Set(batches.map(({ proofs }) => proofs[0]?.index)).size).toBeGreaterThan(1);
  });

  it("is never empty", async () => {
    await expect(buildBatch([])).rejects.toThrow();
  });
});

describe("the batch queue", () => {
  it("rejects those who get no answer where there are too few", async () => {
    const ask = createBatchQueue<number, number>({ maxBatch: 10, maxWaiting: 10, answer: async () => [1] });
    const results = await Promise.allSettled([ask(1), ask(2)]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  it("lets all other traffic go on while it answers a crowd", async () => {
    const ask = createBatchQueue<number, number>({ maxBatch: 1000, maxWaiting: 1000, answer: async (items) => items });
    let turn = 0;
    let ticking = true;
    const tick = (): void => {
      turn += 1;
      if (ticking) setImmediate(tick);
    };
    tick();
    const turns = await Promise.all(Array.from({ length: 1000 }, async (_, each) => (await ask(each), turn)));
    ticking = false;
    const inOneTurn = Map.groupBy(turns, (each) => each);
    expect(Math.max(...[...inOneTurn.values()].map(({ length }) => length))).toBeLessThanOrEqual(64);
  });

  it("puts a crowd that arrives over several turns into one batch", async () => {
    const sizes: number[] = [];
    const answer = async (items: readonly number[]): Promise<number[]> => {
      sizes.push(items.length);
      return [...items];
    };
    const ask = createBatchQueue<number, number>({ maxBatch: 100, maxWaiting: 100, answer });
    const asked = [ask(0), ask(1)];
    for (let more = 2; more < 20; more += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      asked.push(ask(more));
    }
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, (_, each) => each));
    expect(sizes).toEqual([20]);
  });

  it("answers a crowd that never stops growing all the same", async () => {
    const answer = async (items: readonly number[]): Promise<number[]> => [...items];
    const ask = createBatchQueue<number, number>({ maxBatch: 1_000_000, maxWaiting: 1_000_000, answer });
    const crowd = { growing: true };
    const first = Promise.all([ask(0), ask(1)]).finally(() => {
      crowd.growing = false;
    });
    const others: Promise<number>[] = [];
    while (crowd.growing && others.length < 500_000) {
      others.push(ask(others.length));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await first;
    expect(others.length).toBeLessThan(500_000);
    await Promise.all(others);
  });
});
