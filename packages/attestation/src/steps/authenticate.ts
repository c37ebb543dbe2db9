/** Step 2: the Evidence is authentic under a pinned root, with revocation and validity at `now`. */
import type { Appraisal } from "../appraisal.ts";
import { compared, skipped } from "../findings.ts";
import type { Finding } from "../types.ts";

/** The findings of step 2, and the appraisal with what authentic Endorsements say of the Evidence. */
export interface Authenticated {
  readonly appraisal: Appraisal;
  readonly findings: readonly Finding[];
}

/** Whether this kind of TEE is accepted at all, and then all that its own folder has to say. */
export async function authenticateEvidence(appraisal: Appraisal): Promise<Authenticated> {
  const { document, evidence, policy, now } = appraisal;
  if (document === null) {
    return {
      appraisal,
      findings: [skipped("authenticate", "tee-kind", expectedKinds(appraisal), "There is no document.")],
    };
  }
  const kind = compareKind(appraisal, document.tee);
  if (evidence === null) return { appraisal, findings: [kind, unauthenticated()] };
  const { findings, registers, facts } = await evidence.authenticate(document.endorsements, policy, now);
  // What the Endorsements say counts for nothing where one of them is not authentic: the findings then refuse.
  const known = { registers: { ...registers, ...evidence.registers }, facts: { ...facts, ...evidence.facts } };
  return { appraisal: { ...appraisal, evidence: { ...evidence, ...known } }, findings: [kind, ...findings] };
}

function expectedKinds({ tees }: Appraisal): string {
  return [...tees.keys()].join(" or ");
}

function unauthenticated(): Finding {
  return skipped(
    "authenticate",
    "evidence-signature",
    "a signature under a pinned root",
    "There is no readable Evidence.",
  );
}

function compareKind(appraisal: Appraisal, actual: string): Finding {
  return compared({
    step: "authenticate",
    check: "tee-kind",
    holds: appraisal.tee !== null,
    expected: expectedKinds(appraisal),
    actual,
    passed: "This kind of TEE is accepted.",
    failed: "Evidence of this kind of TEE has no pinned root here.",
    hint:
      actual === "simulated"
        ? "A simulator protects nothing. To accept it on purpose, for development, pass simulated({ root })."
        : "Pass this kind of TEE to createVerifier if it is to be accepted.",
  });
}
