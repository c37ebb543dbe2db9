/** How the TCB of platform, TDX module and quoting enclave stands by what Intel says. */
import type { JsonValue } from "@blindbox/encoding";
import { compared, skipped } from "../findings.ts";
import type { Finding } from "../types.ts";
import { moduleFindings, platformFindings, qeFindings } from "./identity-findings.ts";
import type { QeIdentity } from "./qe-identity.ts";
import type { TdxQuestion } from "./question.ts";
import { evaluateTcb, type TcbEvaluation } from "./tcb-evaluation.ts";
import type { TcbInfo } from "./tcb-info.ts";
import type { TcbStatus } from "./tcb-status.ts";
import { isoTime } from "../x509/time.ts";

/** The findings, and the facts that Intel's texts add to those of the quote. */
export interface TcbAppraisal {
  readonly findings: readonly Finding[];
  readonly facts: Readonly<Record<string, JsonValue>>;
}

const noFacts: Readonly<Record<string, JsonValue>> = {
  tcbStatus: null,
  platformTcbStatus: null,
  moduleTcbStatus: null,
  qeTcbStatus: null,
  advisoryIds: [],
  tdxModuleId: null,
  tcbDate: null,
  tcbEvaluationDataNumber: null,
};

/** In order: platform's family, quoting enclave, TDX module, levels, status. What could not be read has been told already. */
export function appraiseTcb(
  question: TdxQuestion,
  tcbInfo: TcbInfo | null,
  qeIdentity: QeIdentity | null,
): TcbAppraisal {
  const { quote } = question;
  const evaluation = tcbInfo === null || qeIdentity === null ? null : evaluateTcb(quote, tcbInfo, qeIdentity);
  return {
    findings: [
      ...(tcbInfo === null ? [] : platformFindings(quote, tcbInfo)),
      ...(qeIdentity === null ? [] : qeFindings(quote, qeIdentity)),
      ...(tcbInfo === null || evaluation === null ? [] : moduleFindings(quote, tcbInfo, evaluation)),
      ...(evaluation === null ? [] : statusFindings(question, evaluation)),
    ],
    facts: evaluation === null || tcbInfo === null ? noFacts : factsOf(evaluation, tcbInfo),
  };
}

function factsOf(evaluation: TcbEvaluation, tcbInfo: TcbInfo): TcbAppraisal["facts"] {
  const { status, platformLevel, moduleLevel, qeLevel, advisories, moduleId } = evaluation;
  return {
    tcbStatus: status,
    platformTcbStatus: platformLevel?.status ?? null,
    moduleTcbStatus: moduleLevel === null || moduleLevel === "unrated" ? null : moduleLevel.status,
    qeTcbStatus: qeLevel?.status ?? null,
    advisoryIds: advisories,
    tdxModuleId: moduleId,
    tcbDate: platformLevel === null ? null : isoTime(platformLevel.date),
    tcbEvaluationDataNumber: tcbInfo.tcbEvaluationDataNumber,
  };
}

function statusFindings({ policy }: TdxQuestion, evaluation: TcbEvaluation): readonly Finding[] {
  const { status, qeLevel, moduleLevel, platformLevel } = evaluation;
  const levels = [
    level("quoting enclave", qeLevel !== null),
    level("module", moduleLevel !== null),
    level("platform", platformLevel !== null),
  ];
  const accepted = policy.tdx.tcbStatuses;
  if (status === null) {
    const expected = accepted.join(" or ");
    return [...levels, skipped("platform", "tcb-status", expected, "One of the parts stands at no level.")];
  }
  return [...levels, revoked(status, evaluation), acceptable(status, evaluation, accepted)];
}

function level(subject: string, holds: boolean): Finding {
  return compared({
    step: "platform",
    check: "tcb-level",
    subject,
    code: "tcb-unsupported",
    holds,
    expected: `a level of Intel's that the ${subject} reaches`,
    actual: holds ? "one reached" : "below every level",
    passed: "Intel says how this TCB stands.",
    failed: "The TCB is so old that Intel says nothing of it any more.",
    hint: "The host needs newer firmware or microcode, and its PCK certificate has to be fetched anew after that.",
  });
}

/** A check of its own, which no exception of a policy can excuse. */
function revoked(status: TcbStatus, evaluation: TcbEvaluation): Finding {
  return compared({
    step: "platform",
    check: "tcb-revocation",
    code: "tcb-status",
    holds: status !== "Revoked",
    expected: "no part whose TCB is revoked",
    actual: partsOf(evaluation),
    passed: "Intel has revoked none of these TCB levels.",
    failed: "Intel has revoked a TCB level: keys of such platforms may be in anybody's hands.",
    hint: "The box runs on hardware that must not be trusted any more: have it moved.",
  });
}

function acceptable(status: TcbStatus, evaluation: TcbEvaluation, accepted: readonly string[]): Finding {
  return compared({
    step: "platform",
    check: "tcb-status",
    subject: status,
    code: "tcb-status",
    holds: accepted.includes(status),
    expected: accepted.join(" or "),
    actual: `${status}: ${partsOf(evaluation)}`,
    passed: "The platform's TCB stands as the policy demands.",
    failed: "The platform's TCB has faults that Intel has published.",
    hint: "Read the advisories, then have the host updated, or accept this status by an exception that expires.",
  });
}

function partsOf({ platformLevel, moduleLevel, qeLevel, advisories }: TcbEvaluation): string {
  const module = moduleLevel === "unrated" ? "judged with the platform" : moduleLevel?.status;
  const parts = `platform ${platformLevel?.status}, module ${module}, quoting enclave ${qeLevel?.status}`;
  return advisories.length === 0 ? `${parts}; no advisories` : `${parts}; ${advisories.join(", ")}`;
}
