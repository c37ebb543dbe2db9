import type { Claims, Finding } from "@blindbox/attestation";

/** Is the Manifest in force (which the Verifier compared with the text that was shown) the one that the caller requires? */
export function compareRequiredManifest(claims: Claims, required: string): Finding {
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
