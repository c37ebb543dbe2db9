import type { EgressSource } from "../egress/shape.ts";
import type { CertificatePrincipal, Egress, JwtPrincipal, Logs } from "../manifest.ts";

/**
 * What a Manifest must mean to be accepted, whatever else stands in it (DESIGN section 4, "Text and meaning"). Every part is
 * mandatory: what is left out would be allowed in silence.
 */
export interface ManifestRequirement {
  readonly access: {
    /** The most callers that may be declared or admitted. Each is an output: the application can hand it any data. */
    readonly principals: { readonly subsetOf: readonly RequiredPrincipal[] };
  };
  readonly egress: {
    /** The most that the application may reach: rules as in `blindbox.yml`, or as in a resolved Manifest. */
    readonly subsetOf: readonly RequiredEgress[];
    /** The modes that are accepted at all. `verified` alone does not trust the network. */
    readonly modes: readonly Egress["mode"][];
  };
  /** The most that may leave as a log: `none`, `metadata` (and `none`), or `app` (and both). */
  readonly logs: Logs;
  /**
   * Who may read the egress ledger: `false`, nobody; `true`, any caller whom `access` accepts; or these at most. The ledger
   * holds times, hosts of rules and numbers of bytes.
   */
  readonly audit: boolean | { readonly subsetOf: readonly RequiredPrincipal[] };
}

/** A caller, known by its key material. An `id` may be written for the reader; it is never compared. */
export type RequiredPrincipal =
  /** Callers that present no credential. */
  | { readonly anonymous: true }
  /** `sha256:<64 lower-case hex>` of the whole ASCII key. */
  | { readonly id?: string; readonly apiKey: string }
  | (Pick<JwtPrincipal, "jwt"> & { readonly id?: string })
  | (Pick<CertificatePrincipal, "certificate"> & { readonly id?: string });

/** One way out that is accepted. */
export type RequiredEgress = EgressSource | Egress;

/** A requirement after reading: names in their one form, every default filled in. */
export interface CheckedRequirement extends Omit<ManifestRequirement, "egress"> {
  readonly egress: Omit<ManifestRequirement["egress"], "subsetOf"> & { readonly subsetOf: readonly Egress[] };
}

/** One thing in a Manifest that goes beyond a requirement. */
export interface RequirementDifference {
  readonly part: "principals" | "egress" | "logs" | "audit";
  /** Where in the Manifest: `egress[2]`. */
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
  /** A phrase: why it goes beyond. */
  readonly reason: string;
}
