import type { Manifest } from "./manifest.ts";

/** Decides who may read the egress ledger. */
export interface AuditDecider {
  /** True for the digest (`apiKeyDigest`) of a principal with `audit: true`, and for nobody else. */
  allows(apiKeyDigest: string): boolean;
}

/** Reads who may audit from the principals of a Manifest. Whether a rule admits them to the application does not matter. */
export function createAuditDecider(manifest: Pick<Manifest, "access">): AuditDecider {
  const keys = new Set<string>();
  for (const principal of manifest.access.principals) {
    if ("apiKey" in principal && principal.audit) keys.add(principal.apiKey);
  }
  return { allows: (apiKeyDigest) => keys.has(apiKeyDigest) };
}
