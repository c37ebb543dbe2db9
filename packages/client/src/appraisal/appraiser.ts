/** Composes the one Attestation Result: what the Verifier found, and what only the client can compare. */
import {
  createVerifier,
  NO_CLAIMS,
  type AttestationResult,
  type Finding,
  type ReferenceValues,
  type Verifier,
} from "@blindbox/attestation";
import { referenceTuples, type Release } from "@blindbox/release";
import type { CheckedVerifyOptions } from "../options/read-options.ts";
import { ChannelError } from "../transport/channel-error.ts";
import type { AnswerError } from "../transport/answer-error.ts";
import type { Appraiser } from "../transport/transport.ts";
import { compareRequired } from "./required-manifest.ts";
import { assessAcceptedRelease, type LabelledRelease } from "./release-findings.ts";

/**
 * The appraiser of one session. Rejects with a TypeError where TEEs, Releases and policy do not fit each other (see
 * `createVerifier`).
 */
export async function createAppraiser(options: CheckedVerifyOptions): Promise<Appraiser> {
  const releases = await Promise.all(options.releases.map(withTuples));
  const verifier = verifierFor(options, releases);
  return {
    async appraise(input) {
      const result = await verifier.verify(input);
      return withFindings(result, [
        ...(await compareRequired(result.claims, options.require, input.document)),
        ...assessAcceptedRelease(result.claims, releases),
      ]);
    },
    refuse,
  };
}

interface ReferencedRelease extends LabelledRelease {
  readonly referenceValues: readonly ReferenceValues[];
}

async function withTuples(release: Release): Promise<ReferencedRelease> {
  const referenceValues = await referenceTuples(release);
  return { release, referenceValues, labels: referenceValues.map((tuple) => tuple.release) };
}

function verifierFor(options: CheckedVerifyOptions, releases: readonly ReferencedRelease[]): Verifier {
  return createVerifier({
    tees: options.tees,
    referenceValues: releases.flatMap((release) => release.referenceValues),
    policy: options.policy,
    now: options.now,
  });
}

/** Adds findings to a result. Its status can only go down. */
function withFindings(result: AttestationResult, added: readonly Finding[]): AttestationResult {
  return { ...result, status: lower(result.status, added), findings: [...result.findings, ...added] };
}

function lower(status: AttestationResult["status"], added: readonly Finding[]): AttestationResult["status"] {
  const refused = added.some((finding) => finding.status === "failed" || finding.status === "skipped");
  if (status === "contraindicated" || refused) return "contraindicated";
  return added.every((finding) => finding.status === "passed") ? status : "warning";
}

function refuse(fault: AnswerError | ChannelError): AttestationResult {
  const unbound = fault instanceof ChannelError;
  const finding: Finding = {
    step: unbound ? "channel" : "parse",
    check: fault.check,
    status: "failed",
    expected: fault.expected,
    actual: fault.actual,
    reason: unbound ? "This connection cannot be bound to Evidence." : "The peer did not answer with Evidence.",
    hint: unbound
      ? "Connect to the box itself, with nothing in between that ends TLS."
      : "Check that this is a box's address.",
  };
  return { status: "contraindicated", tee: null, claims: NO_CLAIMS, findings: [finding] };
}
