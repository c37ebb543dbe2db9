/** The Verifier's own part: Evidence and Endorsements of one TEE, parsed, authenticated and appraised, every Finding made. */
import type { AppraisalPolicy, Finding, Tee } from "@blindbox/attestation";
import type { JsonValue } from "@blindbox/encoding";

/** What is verified again and again. */
export interface Sample {
  /** A TEE with nothing remembered. */
  readonly fresh: () => Tee;
  readonly evidence: Uint8Array;
  readonly endorsements: JsonValue;
  readonly policy: AppraisalPolicy;
  readonly now: number;
}

/** One verification; throws where a Finding other than the ones set aside did not pass. */
export async function verifyOnce(sample: Sample, tee: Tee, setAside: readonly string[]): Promise<void> {
  const evidence = tee.parseEvidence(sample.evidence);
  const { findings } = await evidence.authenticate(sample.endorsements, sample.policy, sample.now);
  const all = [...findings, ...evidence.appraisePlatform(sample.policy)];
  const refused = all.find(({ status, check }: Finding) => status !== "passed" && !setAside.includes(check));
  if (refused !== undefined) throw new Error(`refused by ${refused.check}`);
}
