/** Says what this box is, has the TEE sign it, and gives the result to whoever asks. */
import { randomBytes } from "node:crypto";
import { bindingOf, type EvidenceDocument, formatStatement, type Statement } from "@blindbox/attestation";
import { maxMerkleLeaves, type MerkleProof, toBase64url } from "@blindbox/encoding";
import type { Attester, DeviceEvidence, EvidenceProvider } from "../parts.ts";
import { within } from "../within.ts";
import { AttesterError } from "./attester-error.ts";
import { buildBatch } from "./batch.ts";
import { documentText } from "./document-text.ts";
import { createBatchQueue } from "./queue.ts";

export interface AttesterOptions {
  readonly provider: EvidenceProvider;
  /** What does not change in this boot. */
  readonly facts: StatementFacts;
  /** Heads of the egress ledger and of the access log at the time of asking. */
  readonly heads: () => Pick<Statement, "ledger" | "audit">;
  /** Exact text whose digest is `facts.sandbox.selfTest`. */
  readonly selfTest: string;
  /** Exact text whose digest is `facts.manifest`. */
  readonly manifest: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Left out: {@link attesterLimits}. */
  readonly limits?: AttesterLimits;
}

/** The Statement without what differs from one batch to the next. */
export type StatementFacts = Omit<Statement, "type" | "tee" | "time" | "ledger" | "audit" | "challenge">;

/** Times in milliseconds. */
export interface AttesterLimits {
  /** Callers that may wait while the device is busy; the next one is refused. */
  readonly waiting: number;
  /** What the device may take for one report. */
  readonly device: number;
  /** Age from which `latest` has a new document made. */
  readonly latestAge: number;
}

export const attesterLimits: AttesterLimits = Object.freeze({
  waiting: 2 * maxMerkleLeaves,
  device: 10_000,
  // Well within the 300 s by which a verifier lets a box's clock differ.
  latestAge: 60_000,
});

/** One caller's share in a batch. */
interface Answer {
  readonly proof: MerkleProof;
  /** The batch's document with a proof in it. */
  readonly text: (proof: MerkleProof | null) => string;
}

/**
 * Has the first Evidence of this boot made, and returns the Attester.
 *
 * @throws AttesterError with code `device-failed` and the device's error as its cause.
 */
export async function createAttester(options: AttesterOptions): Promise<Attester> {
  const limits = options.limits ?? attesterLimits;
  const ask = createBatchQueue<Uint8Array, Answer>({
    maxBatch: maxMerkleLeaves,
    maxWaiting: limits.waiting,
    answer: async (leaves) => {
      const { challenge, proofs } = await buildBatch(leaves);
      const text = documentText(await askDevice(options, limits.device, challenge));
      return proofs.map((proof) => ({ proof, text }));
    },
  });
  const refresh = async (): Promise<string> => (await ask(randomBytes(32))).text(null);
  return {
    async attest(leaf) {
      const { text, proof } = await ask(leaf);
      return text(proof);
    },
    latest: keepFresh(await refresh(), refresh, options.now, limits.latestAge),
  };
}

async function askDevice(options: AttesterOptions, ms: number, challenge: Uint8Array): Promise<EvidenceDocument> {
  const { provider, selfTest, manifest } = options;
  const statement = formatStatement({
    ...options.facts,
    ...options.heads(),
    type: "blindbox-statement/1",
    tee: provider.tee,
    time: Math.floor(options.now() / 1000),
    challenge: toBase64url(challenge),
  });
  const { evidence, endorsements } = await sign(provider, await bindingOf(statement), ms);
  return { tee: provider.tee, evidence, endorsements, statement, selfTest, proof: null, manifest, release: null };
}

async function sign(provider: EvidenceProvider, binding: Uint8Array, ms: number): Promise<DeviceEvidence> {
  try {
    return await within(ms, provider.getEvidence(binding));
  } catch (cause) {
    throw new AttesterError("device-failed", { cause });
  }
}

/** The last document, made anew when it is older than `maxAge`; those who ask meanwhile wait for the same one. */
function keepFresh(
  first: string,
  refresh: () => Promise<string>,
  now: () => number,
  maxAge: number,
): () => Promise<string> {
  let last = { text: first, made: now() };
  let pending: Promise<string> | null = null;
  const renew = async (): Promise<string> => {
    try {
      last = { text: await refresh(), made: now() };
      return last.text;
    } finally {
      pending = null;
    }
  };
  return () => {
    if (now() - last.made < maxAge) return Promise.resolve(last.text);
    pending ??= renew();
    return pending;
  };
}
