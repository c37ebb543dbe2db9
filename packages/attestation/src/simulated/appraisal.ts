/** Appraise: is the simulated platform acceptable under the policy? */
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { debugFinding } from "../debug-finding.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { SimulatedReport } from "./evidence.ts";

/** TCB floor and debug mode. */
export function appraiseReport(report: SimulatedReport, policy: AppraisalPolicy): readonly Finding[] {
  return [appraiseDebug(report, policy), appraiseTcb(report, policy)];
}

function appraiseDebug({ debug }: SimulatedReport, policy: AppraisalPolicy): Finding {
  const passed = "The debug bit is off.";
  const reason = "In debug mode the host reads the TEE's memory.";
  return debugFinding({ on: debug, passed, reason, hint: "Start the box without debug mode." }, policy);
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
