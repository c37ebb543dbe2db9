/** One appraisal by the TEE's own folder alone, under the fake AWS's root: which checks did not pass, with which codes. */
import { strictPolicy, type AppraisalPolicy, type Finding, type NitroPolicy, type Tee } from "@blindbox/attestation";
import { EncodingError, type JsonValue } from "@blindbox/encoding";
import { readAppraisalPolicy } from "../../src/appraisal-policy.ts";
import { failureOf } from "../../src/evidence-error.ts";
import { nitroUnder } from "../../src/nitro/tee.ts";
import { NOW } from "../vendor.ts";
import { fakeRoots, mintAws, type AwsChange } from "./vendor.ts";

export function policyWith(change: Partial<NitroPolicy>): AppraisalPolicy {
  return readAppraisalPolicy({ ...strictPolicy, nitro: { ...strictPolicy.nitro, ...change } });
}

let shared: Tee | null = null;

/** One TEE for all, so that what it remembers is under test as well. */
export function fakeTee(): Tee {
  shared ??= nitroUnder(fakeRoots());
  return shared;
}

/** What is asked of a document. */
export interface Question {
  readonly tee: Tee;
  readonly endorsements: JsonValue;
  readonly policy: AppraisalPolicy;
  readonly now: number;
}

export function asked(change: Partial<Question> = {}): Question {
  return { tee: fakeTee(), endorsements: {}, policy: strictPolicy, now: NOW, ...change };
}

export async function findingsOf(bytes: Uint8Array, question: Question = asked()): Promise<readonly Finding[]> {
  const evidence = question.tee.parseEvidence(bytes);
  const { findings } = await evidence.authenticate(question.endorsements, question.policy, question.now);
  return [...findings, ...evidence.appraisePlatform(question.policy)];
}

/** `check: code` of whatever did not pass, in order; `parse: code` where the document cannot be read. */
export async function refusalsOf(bytes: Uint8Array, question: Question = asked()): Promise<readonly string[]> {
  try {
    const findings = await findingsOf(bytes, question);
    return findings.filter(({ status }) => status !== "passed").map(inWords);
  } catch (error) {
    if (error instanceof EncodingError) return [`parse: ${failureOf(error)}`];
    throw error;
  }
}

function inWords({ check, status, code, subject }: Finding): string {
  const about = subject === undefined ? check : `${check} ${subject}`;
  return status === "failed" ? `${about}: ${code ?? "no code"}` : `${about} ${status}`;
}

export function refusals(change: AwsChange = {}, question: Partial<Question> = {}): Promise<readonly string[]> {
  return refusalsOf(mintAws(change).bytes, asked(question));
}
