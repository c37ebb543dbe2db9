/** One appraisal by the TEE's own folder alone, under the fake AMD's roots: which checks did not pass, with which codes. */
import { strictPolicy, type AppraisalPolicy, type Finding, type SevSnpPolicy, type Tee } from "@blindbox/attestation";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { readAppraisalPolicy } from "../../src/appraisal-policy.ts";
import { failureOf } from "../../src/evidence-error.ts";
import { sevSnpUnder } from "../../src/sev-snp/tee.ts";
import { appraise } from "../appraised.ts";
import { NOW } from "../vendor.ts";
import { fakeRoots, mintEvidence, type AmdChange } from "./vendor.ts";

/** Accepts both kinds of key, so that what is refused is refused for its own fault. */
export const bothKeys: AppraisalPolicy = {
  ...strictPolicy,
  sevSnp: { ...strictPolicy.sevSnp, endorsementKeys: ["vcek", "vlek"], cspIds: "any" },
};

export function policyWith(change: Partial<SevSnpPolicy>): AppraisalPolicy {
  return readAppraisalPolicy({ ...bothKeys, sevSnp: { ...bothKeys.sevSnp, ...change } });
}

let shared: Tee | null = null;

/** One TEE for all, so that what it remembers is under test as well. */
export function fakeTee(): Tee {
  shared ??= sevSnpUnder(fakeRoots(), null);
  return shared;
}

export async function findingsOf(
  tee: Tee,
  bytes: Uint8Array,
  endorsements: JsonValue,
  policy: AppraisalPolicy = bothKeys,
  now: number = NOW,
): Promise<readonly Finding[]> {
  const { findings } = await appraise(tee, bytes, endorsements, policy, now);
  return findings;
}

/** `check: code` of whatever did not pass, in order; `parse: code` where the report cannot be read. */
export async function refusalsOf(
  tee: Tee,
  bytes: Uint8Array,
  endorsements: JsonValue,
  policy: AppraisalPolicy = bothKeys,
  now: number = NOW,
): Promise<readonly string[]> {
  try {
    const findings = await findingsOf(tee, bytes, endorsements, policy, now);
    return findings
      .filter(({ status }) => status !== "passed")
      .map(({ check, status, code }) =>
        status === "failed" ? `${check}: ${code ?? "no code"}` : `${check} ${status}`,
      );
  } catch (error) {
    if (error instanceof EncodingError) return [`parse: ${failureOf(error)}`];
    throw error;
  }
}

export function refusals(change: AmdChange = {}, policy: AppraisalPolicy = bothKeys): Promise<readonly string[]> {
  const { bytes, endorsements } = mintEvidence(change);
  return refusalsOf(fakeTee(), bytes, endorsements, policy);
}
