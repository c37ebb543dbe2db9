/** From the hardware's report to the key that signs quotes: level, signer, hash of the runtime data, use of the key. */
import { digest, toHex } from "@blindbox/encoding";
import { compared } from "../findings.ts";
import type { Finding } from "../types.ts";
import type { HclEvidence } from "./evidence.ts";
import { reportDataOf } from "./hcl-report.ts";
import type { AzureVtpmPolicy } from "./policy.ts";

/**
 * The machine's own kernel runs at a level above 0. What it asks the hardware for could name a key of its own, so no policy
 * accepts that. On TDX only the paravisor can ask at all.
 */
export function compareLevel({ report, hardware }: HclEvidence): readonly Finding[] {
  if (report.reportType !== "snp") return [];
  const level = hardware.facts["vmpl"];
  return [
    compared({
      step: "authenticate",
      check: "hcl-level",
      code: "vmpl-mismatch",
      holds: level === 0,
      expected: "a report that was asked for at privilege level 0",
      actual: typeof level === "number" && level <= 3 ? `level ${level}` : "none",
      passed: "The paravisor asked for this report, and no code that it holds.",
      failed: "Something else than the paravisor asked for this report, so it may name any key.",
    }),
  ];
}

/** Whose paravisor it is. A TD names no signer: there Reference Values say it. */
export function compareIdKey({ report, hardware }: HclEvidence, { idKeyDigests }: AzureVtpmPolicy): readonly Finding[] {
  if (report.reportType !== "snp") return [];
  const signer = hardware.facts["idKeyDigest"];
  return [
    compared({
      step: "authenticate",
      check: "hcl-id-key",
      code: "id-key-mismatch",
      holds: idKeyDigests === "any" || (typeof signer === "string" && idKeyDigests.includes(signer)),
      expected:
        idKeyDigests === "any" ? "a launch signed by anybody" : "a launch signed by a key that the policy lists",
      actual: typeof signer === "string" ? signer : "none",
      passed: "The policy accepts who signed the paravisor's launch.",
      failed: "Somebody else than the policy lists made this paravisor, or it is one that nobody signed.",
      hint: "If Microsoft signs with a new key, add its digest to policy.azureVtpm.idKeyDigests from a source of Microsoft's.",
    }),
  ];
}

/** The Finding, and the digest by which people compare runtime data. */
export interface RuntimeDataBinding {
  readonly finding: Finding;
  readonly sha256: string;
}

/** All 64 bytes of the hardware's report data: the digest with nothing but zeros behind it. */
export async function bindRuntimeData({
  report,
  hardware,
}: Pick<HclEvidence, "report" | "hardware">): Promise<RuntimeDataBinding> {
  const expected = reportDataOf(await digest(report.hash, report.runtimeData));
  const actual = toHex(hardware.bound);
  const finding = compared({
    step: "authenticate",
    check: "hcl-binding",
    code: "var-data-mismatch",
    holds: actual === expected,
    expected,
    actual,
    passed: "The hardware signed the hash of this runtime data, so the keys in it are the paravisor's.",
    failed: "The hardware signed the hash of other runtime data, so the keys in these are anybody's.",
  });
  return { finding, sha256: toHex(await digest("SHA-256", report.runtimeData)) };
}

/** A key for other uses as well might sign bytes of others' choice, that look like a quote. */
export function compareKeyUse({ runtimeData: { keyOperations } }: Pick<HclEvidence, "runtimeData">): Finding {
  const holds = keyOperations.length === 1 && keyOperations[0] === "sign";
  return compared({
    step: "authenticate",
    check: "hcl-key-use",
    code: "unsupported-key-type",
    holds,
    expected: "a key for signing alone",
    actual: holds ? "such a key" : `a key for ${keyOperations.length} operations, or for another`,
    passed: "The paravisor says that the key is for signing.",
    failed: "The paravisor does not say that the key is for signing, and for nothing else.",
    hint: "Old paravisors name no use of this key: start the machine anew, on a current one.",
  });
}
