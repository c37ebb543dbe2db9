/** What one thing that is wrong must lead to, and the ways in which cases make it wrong. */
import type { AppraisalPolicy } from "@blindbox/attestation";
import type { AmdChange } from "../vendor.ts";

export interface RefusalCase {
  readonly name: string;
  readonly change: AmdChange;
  readonly policy: AppraisalPolicy | null;
  /** `check: code` of everything that did not pass. */
  readonly expected: readonly string[];
}

/** Cases that lead to the same refusal. */
export function refused(
  expected: string | readonly string[],
  changes: Readonly<Record<string, AmdChange>>,
  policy: AppraisalPolicy | null = null,
): readonly RefusalCase[] {
  const lines = typeof expected === "string" ? [expected] : expected;
  return Object.entries(changes).map(([name, change]) => ({ name, change, policy, expected: lines }));
}

/** Sets bytes of the report, before it is signed. */
export function written(at: number, ...values: readonly number[]): AmdChange {
  return { unsigned: (report) => overwrite(report, at, values) };
}

/** Sets bytes of the report, after it was signed. */
export function tampered(at: number, ...values: readonly number[]): AmdChange {
  return { evidence: (report) => overwrite(report, at, values) };
}

function overwrite(report: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  const copy = report.slice();
  copy.set(values, at);
  return copy;
}
