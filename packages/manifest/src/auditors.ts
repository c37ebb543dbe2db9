import type { Manifest } from "./manifest.ts";

/** Decides who may read the egress ledger. */
export interface AuditDecider {
  /**
   * `allowed` for the digest (`apiKeyDigest`) of a principal with `audit: true`, `forbidden` for any other principal's,
   * `unauthenticated` for a key that nobody has. Never throws.
   */
  decide(apiKeyDigest: string): "allowed" | "forbidden" | "unauthenticated";
}

/** Reads who may audit from the principals of a Manifest. Whether a rule admits them to the application does not matter. */
export function createAuditDecider(manifest: Pick<Manifest, "access">): AuditDecider {
  const audits = new Map<string, boolean>();
  for (const principal of manifest.access.principals) {
    if ("apiKey" in principal) audits.set(principal.apiKey, principal.audit);
  }
  return {
    decide(apiKeyDigest) {
      const right = audits.get(apiKeyDigest);
      if (right === undefined) return "unauthenticated";
      return right ? "allowed" : "forbidden";
    },
  };
}
