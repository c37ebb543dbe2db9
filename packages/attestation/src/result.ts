/** From findings to a status and claims. Only here is it decided what `affirming` takes. */
import type { Appraisal } from "./appraisal.ts";
import { excuse } from "./exceptions.ts";
import type { Connection } from "./input.ts";
import { matchingTuple } from "./steps/measurement.ts";
import type { AttestationResult, AttestationStatus, Claims, Finding } from "./types.ts";

/** What has to have been compared, whatever the kind of TEE: a result without one of these is a refusal. */
const requiredChecks: readonly string[] = [
  "document-form",
  "evidence-form",
  "statement-form",
  "statement-tee",
  "tee-kind",
  "evidence-signature",
  "debug",
  "reference-values",
  "statement-manifest",
  "statement-runtime",
  "statement-binding",
  "challenge",
  "binding-level",
  "clock",
  "tls-key",
  "manifest-digest",
  "sandbox-driver",
  "self-test-digest",
  "self-test",
];

/** The Attestation Result of one appraisal. */
export function resultOf(appraisal: Appraisal, compared: readonly Finding[]): AttestationResult {
  const findings = excuse(compared, {
    exceptions: appraisal.policy.exceptions,
    tee: appraisal.tee?.kind ?? null,
    now: appraisal.now,
  });
  const claims = claimsOf(appraisal, findings);
  const required = [...requiredChecks, ...(appraisal.tee?.requiredChecks ?? [])];
  const status = statusOf(findings, required, unasked(appraisal.connection));
  return { status, tee: claims.tee, claims, findings };
}

// What the caller left unasked costs it the `affirming`. Whatever else was skipped is a refusal.
function unasked({ nonce, peerKey }: Connection): readonly string[] {
  return [...(nonce === null ? ["challenge", "binding-level"] : []), ...(peerKey === null ? ["tls-key"] : [])];
}

function statusOf(
  findings: readonly Finding[],
  required: readonly string[],
  unaskedChecks: readonly string[],
): AttestationStatus {
  const complete = required.every((check) => findings.some((finding) => finding.check === check));
  if (!complete || findings.some((finding) => refuses(finding, unaskedChecks))) return "contraindicated";
  return findings.every((finding) => finding.status === "passed") ? "affirming" : "warning";
}

function refuses({ status, check }: Finding, unaskedChecks: readonly string[]): boolean {
  return status === "failed" || (status === "skipped" && !unaskedChecks.includes(check));
}

function claimsOf(appraisal: Appraisal, findings: readonly Finding[]): Claims {
  const { document, tee, evidence, statement, connection } = appraisal;
  const proven = findings.some((finding) => finding.check === "challenge" && finding.status === "passed");
  return {
    tee: document?.tee ?? null,
    registers: evidence?.registers ?? null,
    facts: evidence?.facts ?? null,
    measurement: (tee && evidence?.registers[tee.measurementRegister]) ?? null,
    tcb: evidence?.tcb ?? null,
    debug: evidence?.debug ?? null,
    release: matchingTuple(appraisal)?.release ?? null,
    manifest: statement?.manifest ?? null,
    runtime: statement?.runtime ?? null,
    sandboxDriver: statement?.sandbox.driver ?? null,
    tls: statement?.tls ?? null,
    ledger: statement?.ledger ?? null,
    audit: statement?.audit ?? null,
    time: statement?.time ?? null,
    binding: proven ? connection.channel.binding : null,
  };
}
