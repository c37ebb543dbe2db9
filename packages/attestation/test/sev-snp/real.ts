/** Real evidence out of the shared vectors, by the accepted cases that name it. */
import { join } from "node:path";
import { openCase, type OpenCase } from "../../../../conformance/case.ts";
import { judge } from "../../../../conformance/judge.ts";
import { sevSnpEndorsements, sevSnpPolicy } from "../../../../conformance/tees/sev-snp.ts";
import { vectorsFolder } from "../../../../conformance/vectors.ts";
import type { AmdEndorsements } from "./vendor.ts";
import { sevSnp, type Tee } from "@blindbox/attestation";

/** One accepted case, ready to be changed. */
export interface RealEvidence {
  readonly name: string;
  readonly report: Uint8Array;
  readonly endorsements: AmdEndorsements;
  readonly opened: OpenCase;
}

/** One case of each version, product and kind of key; empty where the vectors are absent. */
export function realEvidence(): readonly RealEvidence[] {
  const folder = vectorsFolder();
  if (folder === null) return [];
  const names = [
    "001-milan-v2-virtee",
    "004-milan-v3-aci-ms",
    "005-genoa-v3-aci-ms",
    "006-turin-v5-ms",
    "008-siena-v5",
    "009-milan-v5-gcp-reportdata",
    "011-milan-v3-aws-vlek",
  ];
  return names.map((name) => {
    const opened = openCase(join(folder, "cases", "sev-snp", `${name}.json`));
    const report = opened.bytes(opened.evidence["file"] ?? "");
    const endorsements = sevSnpEndorsements(opened.endorsements, opened.bytes) as unknown as AmdEndorsements;
    return { name, report, endorsements, opened };
  });
}

/** One TEE under AMD's own roots for all mutants: what it remembers must not help any of them. */
export const amd: Tee = sevSnp();

export interface RealChange {
  readonly report?: Uint8Array;
  readonly endorsements?: Partial<AmdEndorsements>;
  readonly now?: number;
}

/** The code of the first refusal; `null` where it was accepted. Where a case has no CRL, only that is set aside. */
export async function codeOf(
  { report, endorsements, opened }: RealEvidence,
  change: RealChange = {},
): Promise<string | null> {
  const { code } = await judge({
    tee: amd,
    evidence: change.report ?? report,
    endorsements: { ...endorsements, ...change.endorsements },
    policy: sevSnpPolicy(opened.policy),
    now: change.now ?? opened.now,
    setAside: ({ check }) => check === "crl-presence" && endorsements.crls.length === 0,
    expected: {},
  });
  return code;
}
