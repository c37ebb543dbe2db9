/** Appraise: is the simulated platform acceptable under the policy? */
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { compared, warned } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { SimulatedReport } from "./evidence.ts";

/** TCB floor and debug mode. */
export function appraiseReport(report: SimulatedReport, policy: AppraisalPolicy): readonly Finding[] {
  return [appraiseDebug(report, policy), appraiseTcb(report, policy)];
}

function appraiseDebug({ debug }: SimulatedReport, policy: AppraisalPolicy): Finding {
  const comparison = {
    step: "platform",
    check: "debug",
    expected: "debug off",
    actual: debug ? "debug on" : "debug off",
  } as const;
  const reason = "In debug mode the host reads the TEE's memory.";
  if (debug && policy.debug === "allow") return warned({ ...comparison, reason });
  return compared({
    ...comparison,
    holds: !debug,
    passed: "The debug bit is off.",
    failed: reason,
    hint: "Start the box without debug mode.",
  });
}

function appraiseTcb({ tcb }: SimulatedReport, policy: AppraisalPolicy): Finding {
  return compared({
    step: "platform",
    check: "tcb",
    subject: "tcb",
    code: "tcb-below-minimum",
    holds: tcb >= BigInt(policy.simulated.minTcb),
    expected: `TCB version ${policy.simulated.minTcb} or higher`,
    actual: String(tcb),
    passed: "The platform is at or above the policy's floor.",
    failed: "The platform is below the policy's floor.",
    hint: "Update the simulated device.",
  });
}
