/** One appraisal by the TEE's own folder alone: which checks did not pass, with which codes. */
import { strictPolicy, type AppraisalPolicy, type AzureVtpmPolicy, type Finding } from "@blindbox/attestation";
import { readAppraisalPolicy } from "../../src/appraisal-policy.ts";
import { appraise, refusalsOf } from "../appraised.ts";
import { NOW } from "../vendor.ts";
import { fakeTee, mintEvidence, type AzureChange } from "./vendor.ts";

export { appraise, refusalsOf } from "../appraised.ts";

export function policyWith(change: Partial<AzureVtpmPolicy>): AppraisalPolicy {
  return readAppraisalPolicy({ ...strictPolicy, azureVtpm: { ...strictPolicy.azureVtpm, ...change } });
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
