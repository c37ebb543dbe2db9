/** Exceptions: failures that the verifying side accepts on purpose, each by name and only until a day that it names. */
import { exactMembers, nonEmptyText, wholeNumber, word, wrong } from "./arguments.ts";
import { TEE_KINDS } from "./json.ts";
import type { Finding, TeeKind } from "./types.ts";
import { isoTime } from "./x509/time.ts";

/** The checks that may be excused. Whatever proves origin, freshness or the channel is not among them. */
export const EXCUSABLE_CHECKS = [
  /** `subject`: the TCB component, for example `microcode`. */
  "tcb",
  /** `subject`: the TCB status, for example `OutOfDate`. */
  "tcb-status",
  /** `subject`: the register that cannot be predicted, one of the TEE's `excusableRegisters`, for example `rtmr0`. */
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
  /** Of which kind of TEE. Kinds share names of registers, and the host chooses which kind it shows. */
  readonly tee: TeeKind;
  readonly check: ExcusableCheck;
  /** Of which register, component, status or kind: exactly the `subject` of the Finding. */
  readonly subject: string;
  /** Seconds since 1970: from then on the failure is a failure again. */
  readonly until: number;
  /** Why, for whoever reads the result. Shown as it is. */
  readonly reason: string;
}

/** The end of the year 9999, behind which no time has a form that people read. */
const lastSecond = 253_402_300_799;

/** Longest reason: one line in a terminal and in a report. */
const maxReason = 200;

/** The exceptions of a policy. @throws TypeError naming what is missing, unknown or wrong. */
export function readExceptions(value: unknown): readonly AppraisalException[] {
  if (!Array.isArray(value)) return wrong("policy.exceptions", "a list; empty where there are none");
  return Object.freeze(value.map((each, at) => readException(each, `policy.exceptions[${at}]`)));
}

function readException(value: unknown, path: string): AppraisalException {
  const members = exactMembers(value, path, ["tee", "check", "subject", "until", "reason"]);
  const reason = nonEmptyText(members["reason"], `${path}.reason`);
  if (reason.length > maxReason || /\p{Cc}/u.test(reason))
    wrong(`${path}.reason`, `one line of ${maxReason} characters`);
  const until = wholeNumber(members["until"], `${path}.until`, 0);
  if (until > lastSecond) wrong(`${path}.until`, "seconds since 1970 (not milliseconds), before the year 10000");
  return Object.freeze({
    tee: word(members["tee"], `${path}.tee`, TEE_KINDS),
    check: word(members["check"], `${path}.check`, EXCUSABLE_CHECKS),
    subject: nonEmptyText(members["subject"], `${path}.subject`),
    until,
    reason,
  });
}

/** Exceptions, what kind of TEE is appraised, and when (in seconds). */
export interface Excusing {
  readonly exceptions: readonly AppraisalException[];
  /** `null`: none that is accepted, so nothing is excused. */
  readonly tee: TeeKind | null;
  readonly now: number;
}

/** The exceptions that count now, for that kind of TEE. */
export function inForce({ exceptions, tee, now }: Excusing): readonly AppraisalException[] {
  return exceptions.filter((each) => each.tee === tee && now < each.until);
}

/** The findings, with each failure that an exception names turned into a warning that says so; one that expired is told. */
export function excuse(findings: readonly Finding[], excusing: Excusing): readonly Finding[] {
  return findings.map((finding) => {
    if (finding.status !== "failed") return finding;
    const named = excusing.exceptions.filter(
      ({ tee, check, subject }) => tee === excusing.tee && check === finding.check && subject === finding.subject,
    );
    const [current] = inForce({ ...excusing, exceptions: named });
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
