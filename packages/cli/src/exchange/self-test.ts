/** Tampered copies of one real exchange: each must be refused, by the step that has to notice, where the original was not. */
import type { AttestationResult, Finding, Step } from "@blindbox/attestation";
import { isAccepted, verifyRecorded, type VerifyOptions } from "@blindbox/client";
import type { VerificationInput } from "@blindbox/attestation";
import { tamperings, type Judged, type Tampering } from "./tamperings.ts";

/** How one attempt ended. */
export interface SelfTestOutcome {
  readonly step: Step;
  readonly what: string;
  /**
   * `refused`: as it must be, by its step. `accepted`: it was not refused, or not by its step. `absent`: this exchange has no
   * such thing to alter.
   */
  readonly outcome: "refused" | "accepted" | "absent";
  /** The checks of that step that failed, and did not in the original. */
  readonly checks: readonly string[];
}

/**
 * Tries every tampering on an exchange that was accepted; changes nothing else. The clock stands still meanwhile, so that
 * nothing but what was altered can be the reason of a refusal.
 */
export async function runSelfTest(
  exchange: VerificationInput,
  options: VerifyOptions,
): Promise<readonly SelfTestOutcome[]> {
  const now = options.now?.() ?? new Date();
  const original: Judged = { exchange, options: { ...options, now: () => now } };
  const before = await verifyRecorded(original.exchange, original.options);
  const outcomes: SelfTestOutcome[] = [];
  for (const tampering of tamperings) outcomes.push(await attempt(tampering, original, before));
  return outcomes;
}

async function attempt(
  { step, what, alter }: Tampering,
  original: Judged,
  before: AttestationResult,
): Promise<SelfTestOutcome> {
  const altered = alter(original);
  if (altered === null) return { step, what, outcome: "absent", checks: [] };
  const result = await verifyRecorded(altered.exchange, altered.options);
  const checks = newFailures(result, before, step);
  const isRefused = result.status === "contraindicated" && !isAccepted(result, altered.options) && checks.length > 0;
  return { step, what, outcome: isRefused ? "refused" : "accepted", checks };
}

/** A check that failed before as well shows nothing. */
function newFailures(result: AttestationResult, before: AttestationResult, step: Step): readonly string[] {
  const old = new Set(failures(before, step).map(nameOf));
  const added = failures(result, step).filter((finding) => !old.has(nameOf(finding)));
  return [...new Set(added.map(({ check }) => check))];
}

function failures({ findings }: AttestationResult, step: Step): readonly Finding[] {
  return findings.filter((finding) => finding.step === step && finding.status === "failed");
}

function nameOf({ check, subject }: Finding): string {
  return `${check} ${subject ?? ""}`;
}
