/** From the findings of a TEE's own folder to a verdict in the words of the cases. */
import type { AppraisalPolicy, Finding, Tee } from "@blindbox/attestation";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { failureOf } from "../packages/attestation/src/evidence-error.ts";
import type { Verdict } from "./case.ts";

/** One judgement: what is offered, and under which rules. */
export interface Question {
  readonly tee: Tee;
  readonly evidence: Uint8Array;
  readonly endorsements: JsonValue;
  readonly policy: AppraisalPolicy;
  readonly now: number;
  /** Findings that the case's own rules leave out, though the product demands them: no CRL in the case, say. */
  readonly setAside: (finding: Finding) => boolean;
  /** Values that the case pins, by the name of the fact; a list holds every allowed value. */
  readonly expected: Readonly<Record<string, JsonValue>>;
  /** The code of a pinned fact that differs; left out: the fact's name in kebab case and `-mismatch`. */
  readonly pinCodes?: Readonly<Record<string, string>>;
}

/** Parses, authenticates, appraises and compares pins, in this order; the first failure names the code. */
export async function judge(question: Question): Promise<Verdict> {
  try {
    return await judgeReadable(question);
  } catch (error) {
    if (error instanceof EncodingError) return { verdict: "malformed", code: failureOf(error), claims: {} };
    throw error;
  }
}

async function judgeReadable(question: Question): Promise<Verdict> {
  const { tee, policy, now, endorsements, setAside } = question;
  const evidence = tee.parseEvidence(question.evidence);
  const { findings, facts } = await evidence.authenticate(endorsements, policy, now);
  const all = [...findings, ...evidence.appraisePlatform(policy)];
  const refused = all.find(
    ({ status }, at) => status !== "passed" && status !== "warning" && !setAside(all[at] ?? never()),
  );
  const claims = { ...evidence.registers, ...facts, ...evidence.facts };
  const code = refused === undefined ? pinned(question, claims) : codeOf(refused);
  return { verdict: verdictOf(refused, code), code, claims };
}

function never(): never {
  throw new Error("an index of the list itself");
}

/** An Endorsement that cannot be read is malformed input as well. */
function verdictOf(refused: Finding | undefined, code: string | null): Verdict["verdict"] {
  if (code === null) return "accepted";
  return refused?.check === "endorsements-form" && code === "bad-certificate" ? "malformed" : "rejected";
}

/** A refusal without a code would be an answer that nobody can compare: a fault of ours. */
function codeOf({ check, code }: Finding): string {
  return code ?? `no-code-for-${check}`;
}

function pinned({ expected, pinCodes = {} }: Question, claims: Readonly<Record<string, JsonValue>>): string | null {
  const differs = Object.entries(expected).find(([name, value]) => !holds(value, claims[name]));
  if (differs === undefined) return null;
  return pinCodes[differs[0]] ?? `${differs[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-mismatch`;
}

function holds(expected: JsonValue, actual: JsonValue | undefined): boolean {
  if (Array.isArray(expected)) return expected.some((each) => holds(each as JsonValue, actual));
  if (typeof expected !== "object" || expected === null) return expected === actual;
  const members = actual as Readonly<Record<string, JsonValue>> | undefined;
  return Object.entries(expected).every(([name, value]) => holds(value, members?.[name]));
}
