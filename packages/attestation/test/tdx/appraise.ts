/** One appraisal by the TEE's own folder alone, under the fake Intel's root: which checks did not pass, with which codes. */
import { strictPolicy, type AppraisalPolicy, type TdxPolicy, type Tee } from "@blindbox/attestation";
import { readAppraisalPolicy } from "../../src/appraisal-policy.ts";
import { trustAnchor } from "../../src/tdx/anchor.ts";
import { tdxUnder } from "../../src/tdx/tee.ts";
import { refusalsOf } from "../appraised.ts";
import { NOW } from "../vendor.ts";
import { fakeRootSha256, mintEvidence, type IntelChange } from "./vendor.ts";

export { appraise, refusalsOf } from "../appraised.ts";

export function policyWith(change: Partial<TdxPolicy>, others: Partial<AppraisalPolicy> = {}): AppraisalPolicy {
  return readAppraisalPolicy({ ...strictPolicy, ...others, tdx: { ...strictPolicy.tdx, ...change } });
}

export function newTee(): Tee {
  return tdxUnder(trustAnchor(fakeRootSha256));
}

/** One TEE for all, so that what it remembers is under test as well. */
export const fakeTee: Tee = newTee();

export function refusals(
  change: IntelChange = {},
  policy: AppraisalPolicy = strictPolicy,
  now: number = NOW,
): Promise<readonly string[]> {
  const { bytes, endorsements } = mintEvidence(change);
  return refusalsOf(fakeTee, bytes, endorsements, policy, now);
}
