/** How a Finding is made, so that each comparison says the same things whether it passed or not. */
import { EncodingError } from "@blindbox/encoding";
import { failureOf } from "./evidence-error.ts";
import type { FailureCode } from "./failure-codes.ts";
import type { Finding, Step } from "./types.ts";

/** One comparison and both of its endings. */
export interface Comparison {
  readonly step: Step;
  readonly check: string;
  readonly holds: boolean;
  readonly expected: string;
  readonly actual: string;
  /** Why a pass is good news. */
  readonly passed: string;
  /** What a failure means. */
  readonly failed: string;
  /** Which of many this is about. */
  readonly subject?: string;
  /** The public code of a failure. */
  readonly code?: FailureCode;
  /** The next step after a failure. */
  readonly hint?: string;
}

/** The Finding of a comparison. */
export function compared(comparison: Comparison): Finding {
  const { step, check, holds, expected, actual, passed, failed, subject, code, hint } = comparison;
  const about = subject === undefined ? {} : { subject };
  if (holds) return { step, check, status: "passed", expected, actual, reason: passed, ...about };
  const why = { ...(code === undefined ? {} : { code }), ...(hint === undefined ? {} : { hint }) };
  return { step, check, status: "failed", expected, actual, reason: failed, ...about, ...why };
}

/** A check that could not be made. It is said, and it keeps the status from `affirming`. */
export function skipped(step: Step, check: string, expected: string, reason: string): Finding {
  return { step, check, status: "skipped", expected, actual: "not compared", reason };
}

/** What is acceptable only if the caller says so. */
export function warned(finding: Omit<Finding, "status">): Finding {
  return { ...finding, status: "warning" };
}

/** The failed Finding for input that a strict parser refused. */
export function malformed(step: Step, check: string, error: unknown, failed: string): Finding {
  // Anything but a parser's refusal is a fault of ours, and no reason to call the Evidence bad.
  if (!(error instanceof EncodingError)) throw error;
  const expected = `${error.field}: ${error.expected}`;
  const actual = `${error.code}: ${error.actual}`;
  return { step, check, status: "failed", expected, actual, reason: failed, code: failureOf(error) };
}
