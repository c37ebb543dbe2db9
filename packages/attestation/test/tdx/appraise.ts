/** One appraisal by the TEE's own folder alone, under the fake Intel's root: which checks did not pass, with which codes. */
import { strictPolicy, type AppraisalPolicy, type Finding, type TdxPolicy, type Tee } from "@blindbox/attestation";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { readAppraisalPolicy } from "../../src/appraisal-policy.ts";
import { failureOf } from "../../src/evidence-error.ts";
import { trustAnchor } from "../../src/tdx/anchor.ts";
import { tdxUnder } from "../../src/tdx/tee.ts";
import { NOW } from "../vendor.ts";
import { fakeRootSha256, mintEvidence, type IntelChange } from "./vendor.ts";

export function policyWith(change: Partial<TdxPolicy>, others: Partial<AppraisalPolicy> = {}): AppraisalPolicy {
  return readAppraisalPolicy({ ...strictPolicy, ...others, tdx: { ...strictPolicy.tdx, ...change } });
}

export function newTee(): Tee {
  return tdxUnder(trustAnchor(fakeRootSha256));
}

/** One TEE for all, so that what it remembers is under test as well. */
export const fakeTee: Tee = newTee();

export interface Appraised {
  readonly findings: readonly Finding[];
  readonly facts: Readonly<Record<string, JsonValue>>;
}

export async function appraise(
  tee: Tee,
  bytes: Uint8Array,
  endorsements: JsonValue,
  policy: AppraisalPolicy = strictPolicy,
  now: number = NOW,
): Promise<Appraised> {
  const evidence = tee.parseEvidence(bytes);
  const { findings, facts } = await evidence.authenticate(endorsements, policy, now);
  return { findings: [...findings, ...evidence.appraisePlatform(policy)], facts: { ...facts, ...evidence.facts } };
}

/** `check (subject): code` of whatever did not pass, in order; `parse: code` where the quote cannot be read. */
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
  change: IntelChange = {},
  policy: AppraisalPolicy = strictPolicy,
  now: number = NOW,
): Promise<readonly string[]> {
  const { bytes, endorsements } = mintEvidence(change);
  return refusalsOf(fakeTee, bytes, endorsements, policy, now);
}
