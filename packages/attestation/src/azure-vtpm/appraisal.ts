/** Appraise: is the machine acceptable under the policy, by what the paravisor says of it? The hardware says its own part. */
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { AzureEvidence } from "./evidence.ts";
import type { AzureVtpmPolicy } from "./policy.ts";
import type { RuntimeData } from "./runtime-data.ts";

/** Everything that the hardware's own rules say, then Secure Boot and the console. */
export function appraiseAzure({ hcl }: AzureEvidence, policy: AppraisalPolicy): readonly Finding[] {
  const { azureVtpm } = policy;
  return [
    ...hcl.hardware.appraisePlatform(policy),
    secureBoot(hcl.runtimeData, azureVtpm),
    serialConsole(hcl.runtimeData, azureVtpm),
  ];
}

function secureBoot(data: RuntimeData, { secureBoot: rule }: AzureVtpmPolicy): Finding {
  return compared({
    step: "platform",
    check: "secure-boot",
    code: "vm-configuration-mismatch",
    holds: rule === "any" || data.secureBoot === true,
    expected: rule === "any" ? "Secure Boot on or off" : "Secure Boot on",
    actual: onOff(data.secureBoot),
    passed: "The machine was started as the policy demands.",
    failed: "The firmware started whatever it was given, signed or not.",
    hint: "Create the machine with Secure Boot, or accept that the PCRs alone say what was started.",
  });
}

function serialConsole(data: RuntimeData, { console: rule }: AzureVtpmPolicy): Finding {
  return compared({
    step: "platform",
    check: "serial-console",
    code: "vm-configuration-mismatch",
    holds: rule === "any" || data.consoleEnabled === false,
    expected: rule === "any" ? "a serial console or none" : "no serial console",
    actual: onOff(data.consoleEnabled),
    passed: "The machine has what the policy accepts of a console.",
    failed: "Whoever operates the machine can type into it.",
  });
}

function onOff(value: boolean | null): string {
  if (value === null) return "not said";
  return value ? "on" : "off";
}
