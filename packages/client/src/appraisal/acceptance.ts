/** When a result that is not affirming may be acted upon all the same: only by what the caller wrote itself. */
import { type AttestationError, type AttestationResult, errorFor, type Finding, type Tee } from "@blindbox/attestation";
import type { AcceptableWarning } from "../options/options.ts";

/** What decides about warnings; a part of the options of a session. */
export interface AcceptanceOptions {
  readonly tees: readonly Tee[];
  readonly accept?: readonly AcceptableWarning[];
}

/** Warnings that come with every simulated TEE; passing `simulated({ root })` in code is what accepts them. */
const simulatedWarnings: readonly string[] = ["simulated-tee", "release-unsigned"];

/**
 * May data be sent on this result? True where it is `affirming`, and where it is a `warning` whose every warning was
 * accepted: by name in `accept`, by an exception of the policy, or by passing the simulated TEE. What was skipped or failed is never accepted.
 */
export function isAccepted(result: AttestationResult, options: AcceptanceOptions): boolean {
  return result.status !== "contraindicated" && unaccepted(result, options).length === 0;
}

function unaccepted(result: AttestationResult, { tees, accept = [] }: AcceptanceOptions): readonly Finding[] {
  const accepted = new Set<string>([...accept, ...(isSimulated(tees) ? simulatedWarnings : [])]);
  return result.findings.filter(
    ({ status, check, excused }) =>
      // What an exception of the caller's own policy excuses was accepted there, by name and until a day.
      status !== "passed" && !(status === "warning" && (accepted.has(check) || excused === true)),
  );
}

function isSimulated(tees: readonly Tee[]): boolean {
  return tees.length > 0 && tees.every((tee) => tee.kind === "simulated");
}

/**
 * The error for a result on which nothing may be sent; `null` where {@link isAccepted}. Class and message come from the
 * first step with something that was not accepted (see `errorFor`), never from a warning that was; `result` and `findings`
 * are whole.
 */
export function refusalOf(result: AttestationResult, options: AcceptanceOptions): AttestationError | null {
  if (isAccepted(result, options)) return null;
  const reasons = unaccepted(result, options);
  if (reasons.length === 0) return errorFor(result);
  return Object.assign(errorFor({ ...result, findings: reasons }), { result, findings: result.findings });
}
