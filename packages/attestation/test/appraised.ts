/** One appraisal by a TEE's own folder alone: what it found, and which checks did not pass, with which codes. */
import { strictPolicy, type AppraisalPolicy, type Finding, type Tee } from "@blindbox/attestation";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { failureOf } from "../src/evidence-error.ts";
import { NOW } from "./vendor.ts";

export interface Appraised {
  readonly findings: readonly Finding[];
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly registers: Readonly<Record<string, string>>;
}

export async function appraise(
  tee: Tee,
  bytes: Uint8Array,
  endorsements: JsonValue,
  policy: AppraisalPolicy = strictPolicy,
  now: number = NOW,
): Promise<Appraised> {
  const evidence = tee.parseEvidence(bytes);
  const { findings, facts, registers } = await evidence.authenticate(endorsements, policy, now);
  return {
    findings: [...findings, ...evidence.appraisePlatform(policy)],
    facts: { ...facts, ...evidence.facts },
    registers: { ...registers, ...evidence.registers },
  };
}

/** `check (subject): code` of whatever did not pass, in order; `parse: code` where the Evidence cannot be read. */
export async function refusalsOf(
  tee: Tee,
  bytes: Uint8Array,
  endorsements: JsonValue,
  policy: AppraisalPolicy = strictPolicy,
  now: number = NOW,
): Promise<readonly string[]> {
  try {
    const { findings } = await appraise(tee, bytes, endorsements, policy, now);
    return findings.filter(({ status }) => status !== "passed").map(told);
  } catch (error) {
    if (error instanceof EncodingError) return [`parse: ${failureOf(error)}`];
    throw error;
  }
}

function told({ check, subject, status, code }: Finding): string {
  const about = subject === undefined ? check : `${check} (${subject})`;
  return status === "failed" ? `${about}: ${code ?? "no code"}` : `${about} ${status}`;
}
