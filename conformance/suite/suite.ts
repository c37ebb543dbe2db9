/** The conformance cases as one function that any runtime can call: no file, no clock, no network; WebCrypto alone. */
import { fromBase64 } from "@blindbox/encoding";
import type { Case, OpenCase, Verdict } from "../case.ts";
import { compareVerdict } from "../compare.ts";
import { judges } from "../tees/index.ts";

/** Cases, and the files that they name, in base64. */
export interface Pack {
  readonly cases: readonly PackedCase[];
}

export interface PackedCase extends Case {
  /** Base64 by the path that the case gives. */
  readonly files: Readonly<Record<string, string>>;
}

/** One answer, the same in every runtime. */
export interface Answer {
  readonly id: string;
  readonly verdict: Verdict["verdict"];
  readonly code: string | null;
  /** In what it differs from what its file expects; empty where it matches. */
  readonly differences: readonly string[];
}

/** Judges every case, and a copy of each accepted one with one bit of its Evidence flipped, which must be refused. */
export async function runSuite(pack: Pack): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const packed of pack.cases) answers.push(await judged(packed), ...(await flipped(packed)));
  return answers;
}

async function judged(packed: PackedCase): Promise<Answer> {
  const verdict = await verdictOf(packed, (_path, bytes) => bytes);
  const { id, expect } = packed;
  return { id, verdict: verdict.verdict, code: verdict.code, differences: compareVerdict(expect, verdict) };
}

/** Bits at a third and at two thirds of the main file of the Evidence; every byte is the mutation tests' part. */
async function flipped(packed: PackedCase): Promise<readonly Answer[]> {
  if (packed.expect.verdict !== "accepted" || packed.policy.scope !== undefined) return [];
  const [file = ""] = Object.values(packed.evidence);
  const answers: Answer[] = [];
  for (const part of [1, 2]) {
    const verdict = await verdictOf(packed, (path, bytes) => (path === file ? flip(bytes, part) : bytes));
    const differences = verdict.verdict === "accepted" ? ["accepted with one bit flipped"] : [];
    answers.push({
      id: `${packed.id} flipped at ${part}/3`,
      verdict: verdict.verdict,
      code: verdict.code,
      differences,
    });
  }
  return answers;
}

function flip(bytes: Uint8Array, part: number): Uint8Array {
  const copy = bytes.slice();
  const at = Math.floor((meaningfulLength(copy) * part) / 3);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

// Buffers of some tools carry zero padding behind the Evidence, of which nobody derives anything.
function meaningfulLength(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

async function verdictOf(
  packed: PackedCase,
  change: (path: string, bytes: Uint8Array) => Uint8Array,
): Promise<Verdict> {
  const judge = judges[packed.tee];
  if (judge === undefined) return { verdict: "rejected", code: "no-judge", claims: {} };
  const opened: OpenCase = {
    ...packed,
    now: Math.floor(Date.parse(packed.time) / 1000),
    bytes: (path) => change(path, fromBase64(packed.files[path] ?? "", "file")),
  };
  return judge(opened);
}

/** The text that runtimes are compared by. */
export function answersText(answers: readonly Answer[]): string {
  return JSON.stringify(answers);
}
