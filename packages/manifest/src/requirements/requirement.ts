import type { CertificateSource } from "../access/certificate-shape.ts";
import type { ApiKeyFactor, CertificateFactor, Factor, JwtFactor } from "../access/principal.ts";
import type { TokenSource } from "../access/token-shape.ts";
import type { EgressSource } from "../egress/shape.ts";
import type { Egress, Logs, Metrics, Operations } from "../manifest.ts";

/**
 * What a Manifest must mean to be accepted, whatever else stands in it (DESIGN section 4, "Text and meaning"). Every part is
 * mandatory: what is left out would be allowed in silence.
 */
export interface ManifestRequirement {
  readonly app: {
    /** `sha256:<64 lower-case hex>` of the one image that is accepted, or `any`: the sandbox holds whatever runs. */
    readonly image: string;
  };
  readonly access: RequiredAccess<RequiredPrincipal>;
  readonly egress: {
    /** The most that the application may reach: rules as in `blindbox.yml`, or as in a resolved Manifest. */
    readonly subsetOf: readonly RequiredEgress[];
    /** The modes that are accepted at all. `verified` alone does not trust the network. */
    readonly modes: readonly Egress["mode"][];
  };
  /** The most that may leave as a log: `none`, `metadata` (and `none`), or `app` (and both). */
  readonly logs: Logs;
  /** The most that whoever runs the box may be told beside the log. */
  readonly operations: {
    /** `live`, or `ready` (and `live`), with which the application can signal. */
    readonly health: Operations["health"];
    /** `none`, or `coarse` (and `none`). */
    readonly metrics: Metrics;
  };
  /**
   * Who may read the egress ledger and the access log: `false`, nobody; `true`, any caller whom `access` accepts; or these
   * at most. They hold times, hosts of rules, ids, codes and numbers of bytes.
   */
  readonly audit: boolean | { readonly subsetOf: readonly RequiredPrincipal[] };
}

/** What is required of callers. */
export interface RequiredAccess<P> {
  /** The most callers that may be declared or admitted. Each is an output: the application can hand it any data. */
  readonly principals: { readonly subsetOf: readonly P[] };
  /** Whether callers may have WebSockets, into which the box does not look. */
  readonly websocket: boolean;
  /** `true`: every rule has to write the requests that it lets through to the access log. */
  readonly recorded: boolean;
}

/** A caller, known by its key material. An `id` may be written for the reader; it is never compared. */
export type RequiredPrincipal =
  /** Callers that present no credential. */
  | { readonly anonymous: true }
  | ((RequiredFactor | { readonly allOf: readonly RequiredFactor[] }) & { readonly id?: string });

/** Key material as in `blindbox.yml`, or as in a resolved Manifest. */
export type RequiredFactor =
  | ApiKeyFactor
  | { readonly jwt: TokenSource }
  | { readonly certificate: RequiredCertificate }
  | JwtFactor
  | CertificateFactor;

/** A client certificate; each attribute of a subject is written as `{ CN: "host-1" }`, or as a resolved Manifest has it. */
export type RequiredCertificate = Omit<CertificateSource, "subject"> & {
  readonly subject?: "any" | readonly Readonly<Record<string, string>>[];
};

/** One way out that is accepted. */
export type RequiredEgress = EgressSource | Egress;

/** A caller that is accepted, after reading: everybody without credentials, or whoever presents at least these. */
export type CheckedPrincipal = { readonly anonymous: true } | { readonly factors: readonly Factor[] };

/** A requirement after reading: names in their one form, every default filled in. */
export interface CheckedRequirement extends Omit<ManifestRequirement, "egress" | "access" | "audit"> {
  readonly access: RequiredAccess<CheckedPrincipal>;
  readonly egress: Omit<ManifestRequirement["egress"], "subsetOf"> & { readonly subsetOf: readonly Egress[] };
  readonly audit: boolean | { readonly subsetOf: readonly CheckedPrincipal[] };
}

/** What of a requirement a difference belongs to. */
export type RequirementPart =
  | "app"
  | "principals"
  | "websocket"
  | "recorded"
  | "egress"
  | "logs"
  | "operations"
  | "audit";

/** One thing in a Manifest that goes beyond a requirement. */
export interface RequirementDifference {
  readonly part: RequirementPart;
  /** Where in the Manifest: `egress[2]`. */
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
  /** A phrase: why it goes beyond. */
  readonly reason: string;
}
