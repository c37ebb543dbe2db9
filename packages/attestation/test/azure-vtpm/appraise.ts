/** One appraisal by the TEE's own folder alone: which checks did not pass, with which codes. */
import {
  strictPolicy,
  type AppraisalPolicy,
  type AzureVtpmPolicy,
  type Finding,
  type Tee,
} from "@blindbox/attestation";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { readAppraisalPolicy } from "../../src/appraisal-policy.ts";
import { failureOf } from "../../src/evidence-error.ts";
import { NOW } from "../vendor.ts";
import { fakeTee, mintEvidence, type AzureChange } from "./vendor.ts";

export function policyWith(change: Partial<AzureVtpmPolicy>): AppraisalPolicy {
  return readAppraisalPolicy({ ...strictPolicy, azureVtpm: { ...strictPolicy.azureVtpm, ...change } });
}

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

export function refusals(
  change: AzureChange = {},
  policy: AppraisalPolicy = strictPolicy,
  now: number = NOW,
): Promise<readonly string[]> {
  const { bytes, endorsements } = mintEvidence(change);
  return refusalsOf(fakeTee(), bytes, endorsements, policy, now);
}

/** What one thing that is wrong must lead to. */
export interface RefusalCase {
  readonly name: string;
  readonly change: AzureChange;
  readonly policy: AppraisalPolicy;
  /** All that did not pass, in order. */
  readonly expected: readonly string[];
}

/** Cases that lead to the same refusal. */
export function refused(
  expected: string | readonly string[],
  changes: Readonly<Record<string, AzureChange>>,
  policy: AppraisalPolicy = strictPolicy,
): readonly RefusalCase[] {
  const lines = typeof expected === "string" ? [expected] : expected;
  return Object.entries(changes).map(([name, change]) => ({ name, change, policy, expected: lines }));
}

/** The one Finding of that check. */
export async function findingOf(change: AzureChange, check: string): Promise<Finding> {
  const { bytes, endorsements } = mintEvidence(change);
  const { findings } = await appraise(fakeTee(), bytes, endorsements);
  const [found, ...more] = findings.filter((finding) => finding.check === check);
  if (found === undefined || more.length > 0) throw new Error(`one finding of ${check} was due`);
  return found;
}
