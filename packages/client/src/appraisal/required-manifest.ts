import type { Claims, Finding } from "@blindbox/attestation";
import type { CheckedRequire } from "../options/requirement.ts";
import { compareRequiredMeaning } from "./required-meaning.ts";

/** Compares the Manifest in force with what the caller requires of it, by digest or by meaning. */
export async function compareRequired(
  claims: Claims,
  required: CheckedRequire,
  document: Uint8Array | string,
): Promise<readonly Finding[]> {
  if ("manifest" in required) return [compareDigest(claims, required.manifest)];
  return compareRequiredMeaning(claims, required, document);
}

/** Is the Manifest in force (which the Verifier compared with the text that was shown) the one that the caller requires? */
function compareDigest(claims: Claims, required: string): Finding {
  const comparison = { step: "manifest", check: "manifest-required", expected: required } as const;
  if (claims.manifest === null) {
    return { ...comparison, status: "skipped", actual: "not compared", reason: "There is no readable Statement." };
  }
  if (claims.manifest === required) {
    const reason = "The box enforces the Manifest that the caller requires.";
    return { ...comparison, status: "passed", actual: claims.manifest, reason };
  }
  return {
    ...comparison,
    status: "failed",
    actual: claims.manifest,
    reason: "The box enforces another Manifest than the one that the caller requires.",
    hint: "Read the new Manifest; if it is acceptable, require its digest instead.",
  };
}
