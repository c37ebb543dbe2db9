/** Verify: does the hardware vouch for the paravisor, the paravisor for the key, and the key for the quote? */
import { jsonObject, type JsonValue } from "@blindbox/encoding";
import type { AppraisalPolicy } from "../appraisal-policy.ts";
import { compared, malformed } from "../findings.ts";
import type { Authentication } from "../tee.ts";
import type { Finding } from "../types.ts";
import type { AzureEvidence, HclEvidence } from "./evidence.ts";
import { bindRuntimeData, compareIdKey, compareKeyUse, compareLevel } from "./hcl-findings.ts";
import { quoteFindings } from "./quote-findings.ts";
import { compareTdReport } from "./td-findings.ts";

/** All that there is to say of the Evidence's origin: hardware, hash of the runtime data, quote. */
export async function authenticateAzure(
  { hcl, quoted }: AzureEvidence,
  endorsements: JsonValue,
  policy: AppraisalPolicy,
  now: number,
): Promise<Authentication> {
  const [hardware, quote] = await Promise.all([
    authenticateHcl(hcl, endorsements, policy, now),
    quoteFindings(quoted, hcl.runtimeData.attestationKey),
  ]);
  return { ...hardware, findings: [...hardware.findings, ...quote] };
}

/** `{ "hardware": what the hardware's own Endorsements are }`. */
export async function authenticateHcl(
  hcl: HclEvidence,
  endorsements: JsonValue,
  policy: AppraisalPolicy,
  now: number,
): Promise<Authentication> {
  const given = readEndorsements(endorsements);
  const [below, tdReport, binding] = await Promise.all([
    hcl.hardware.authenticate(given.hardware, policy, now),
    compareTdReport(hcl),
    bindRuntimeData(hcl),
  ]);
  const findings = [
    ...given.findings,
    ...below.findings,
    compareCompleteness(hcl, below.findings, policy),
    ...compareLevel(hcl),
    ...compareIdKey(hcl, policy.azureVtpm),
    ...tdReport,
    binding.finding,
    compareKeyUse(hcl),
  ];
  return { findings, registers: below.registers, facts: { ...below.facts, varDataSha256: binding.sha256 } };
}

interface Given {
  readonly hardware: JsonValue;
  readonly findings: readonly Finding[];
}

/** Without Endorsements the hardware is asked all the same, with none: it says what it misses. */
function readEndorsements(value: JsonValue): Given {
  try {
    return { hardware: jsonObject(value, "endorsements", ["hardware"]).hardware, findings: [] };
  } catch (error) {
    const failed = "The Endorsements have not the form that this kind of TEE gives them.";
    return { hardware: null, findings: [malformed("authenticate", "endorsements-form", error, failed)] };
  }
}

/** What a result must hold of hardware, it must hold of hardware below a virtual TPM as well. */
function compareCompleteness(
  { tee, hardware }: HclEvidence,
  origin: readonly Finding[],
  policy: AppraisalPolicy,
): Finding {
  const made = new Set([...origin, ...hardware.appraisePlatform(policy)].map(({ check }) => check));
  const missing = tee.requiredChecks.filter((check) => !made.has(check));
  return compared({
    step: "authenticate",
    check: "hardware-checks",
    code: "missing-endorsement",
    holds: missing.length === 0,
    expected: `every check that ${tee.kind} demands`,
    actual: missing.length === 0 ? "each of them made" : `not made: ${missing.join(", ")}`,
    passed: "The hardware below was judged as it is where nothing is above it.",
    failed: "Something that has to be compared of the hardware below could not be.",
    hint: "See what else failed: it stood in the way, or an Endorsement is missing.",
  });
}
