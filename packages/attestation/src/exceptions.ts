/** Exceptions: failures that the verifying side accepts on purpose, each by name and only until a day that it names. */
import { exactMembers, nonEmptyText, wholeNumber, word, wrong } from "./arguments.ts";
import type { Finding } from "./types.ts";
import { isoTime } from "./x509/time.ts";

/** The checks that may be excused. Whatever proves origin, freshness or the channel is not among them. */
export const EXCUSABLE_CHECKS = [
  /** `subject`: the TCB component, for example `microcode`. */
  "tcb",
  /** `subject`: the TCB status, for example `OutOfDate`. */
  "tcb-status",
  /** `subject`: the register that cannot be predicted, for example `rtmr3`. */
  "reference-values",
  /** `subject`: the kind of Endorsement, for example `amdCrl`. */
  "endorsement-age",
  /** `subject`: the feature, for example `smt`. */
  "platform-info",
] as const;

/** One of {@link EXCUSABLE_CHECKS}. */
export type ExcusableCheck = (typeof EXCUSABLE_CHECKS)[number];

/** One failure that is accepted on purpose. The status is then `warning` at best, and the Finding says so. */
export interface AppraisalException {
  readonly check: ExcusableCheck;
  /** Of which register, component, status or kind: exactly the `subject` of the Finding. */
  readonly subject: string;
  /** Seconds since 1970: from then on the failure is a failure again. */
  readonly until: number;
  /** Why, for whoever reads the result. Shown as it is. */
  readonly reason: string;
}

/** Longest reason: one line in a terminal and in a report. */
const maxReason = 200;

/** The exceptions of a policy. @throws TypeError naming what is missing, unknown or wrong. */
export function readExceptions(value: unknown): readonly AppraisalException[] {
  if (!Array.isArray(value)) return wrong("policy.exceptions", "a list; empty where there are none");
  return Object.freeze(value.map((each, at) => readException(each, `policy.exceptions[${at}]`)));
}

function readException(value: unknown, path: string): AppraisalException {
  const members = exactMembers(value, path, ["check", "subject", "until", "reason"]);
  const reason = nonEmptyText(members["reason"], `${path}.reason`);
  if (reason.length > maxReason || /\p{Cc}/u.test(reason))
    wrong(`${path}.reason`, `one line of ${maxReason} characters`);
  return Object.freeze({
    check: word(members["check"], `${path}.check`, EXCUSABLE_CHECKS),
    subject: nonEmptyText(members["subject"], `${path}.subject`),
    until: wholeNumber(members["until"], `${path}.until`, 0),
    reason,
  });
}

/** The exceptions that count at `now`, in seconds. */
export function inForce(exceptions: readonly AppraisalException[], now: number): readonly AppraisalException[] {
  return exceptions.filter(({ until }) => now < until);
}

/** The findings, with each failure that an exception names turned into a warning that says so; one that expired is told. */
export function excuse(
  findings: readonly Finding[],
  exceptions: readonly AppraisalException[],
  now: number,
): readonly Finding[] {
  return findings.map((finding) => {
    if (finding.status !== "failed") return finding;
    const named = exceptions.filter(({ check, subject }) => check === finding.check && subject === finding.subject);
    const [current] = inForce(named, now);
    if (current !== undefined) return excused(finding, current);
    const [expired] = named;
    return expired === undefined
      ? finding
      : { ...finding, hint: `The exception for this ended ${isoTime(expired.until)}.` };
  });
}

function excused(finding: Finding, { until, reason }: AppraisalException): Finding {
  const { code: _code, hint: _hint, ...rest } = finding;
  return {
    ...rest,
    status: "warning",
    excused: true,
    reason: `${finding.reason} Accepted until ${isoTime(until)}: ${reason}`,
  };
}
