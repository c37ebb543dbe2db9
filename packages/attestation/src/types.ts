/** The words of the Verifier (RFC 9334): what comes in, what is accepted, and what comes out. Types only. */
import type { JsonValue, MerkleProof } from "@blindbox/encoding";
import type { FailureCode } from "./failure-codes.ts";

/** One kind of TEE. `simulated` is no hardware: it proves nothing about where the code runs. */
export type TeeKind = "sev-snp" | "tdx" | "nitro" | "azure-vtpm" | "simulated";

/** What the TEE signed, tagged with its kind. Unauthenticated until a Verifier says otherwise. */
export interface Evidence {
  readonly tee: TeeKind;
  readonly bytes: Uint8Array;
}

/** Vendor certificates, CRLs and TCB information beside the Evidence; parsed strictly by the TEE that it belongs to. */
export type Endorsements = JsonValue;

/** How a nonce is tied to a connection: to its TLS exporter (RFC 9266), or not at all. */
export type BindingMode = "tls-exporter" | "none";

/** What the box says of itself in this boot (DESIGN section 5). `null` is what does not exist yet. */
export interface Statement {
  readonly type: "blindbox-statement/1";
  readonly tee: TeeKind;
  /** The box's clock in whole seconds since 1970-01-01T00:00:00Z. */
  readonly time: number;
  /** `sha256:<hex>` of the canonical runtime description. */
  readonly runtime: string;
  /** `sha256:<hex>` of the Manifest's text. */
  readonly manifest: string;
  /** `sha256:<hex>` of the DER SubjectPublicKeyInfo of the box's TLS key. */
  readonly tls: string;
  /** base64url of the HPKE key configuration, or `null` where the box has none. */
  readonly channel: string | null;
  readonly sandbox: {
    /** Name of the Sandbox driver, for example `rooted`. */
    readonly driver: string;
    /** `sha256:<hex>` of the self-test's result text. */
    readonly selfTest: string;
  };
  /** `sha256:<hex>` of the egress ledger's head, or `null`. */
  readonly ledger: string | null;
  /** `sha256:<hex>` of the access log's head, or `null`. */
  readonly audit: string | null;
  /** base64url of 32 bytes: the Merkle root over the leaf hashes of those who asked. */
  readonly challenge: string;
}

/** What a box answers at {@link EVIDENCE_PATH}. Texts are exact: their bytes are what is hashed. */
export interface EvidenceDocument {
  readonly tee: TeeKind;
  readonly evidence: Uint8Array;
  readonly endorsements: Endorsements;
  readonly statement: string;
  readonly selfTest: string;
  /** Where the asker's leaf stands below `challenge`; `null` at boot and for GET. */
  readonly proof: MerkleProof | null;
  readonly manifest: string;
  readonly release: JsonValue | null;
}

/** What a client sends over the very connection that it wants attested. */
export interface AttestationRequest {
  readonly binding: BindingMode;
  /** 32 random bytes. */
  readonly nonce: Uint8Array;
}

/**
 * One complete tuple of one accepted Release. `registers` has exactly the members of one of that TEE's shapes, bytes in
 * lower-case hex: a tuple that leaves one out is a `TypeError`, never a register that is not compared.
 */
export interface ReferenceValues {
  readonly tee: TeeKind;
  readonly registers: Readonly<Record<string, string>>;
  /** `sha256:<hex>` of the Manifest that belongs to these registers. */
  readonly manifest: string;
  /** `sha256:<hex>` of the runtime description that belongs to these registers. */
  readonly runtime: string;
  /** Label for findings, for example `acme/transcriber 1.4.2`. Compared with nothing. */
  readonly release: string;
}

/** The Verifier's steps, in the order of DESIGN section 5. The client adds `release` and more of `manifest`. */
export type Step =
  | "parse"
  | "authenticate"
  | "platform"
  | "measurement"
  | "binding"
  | "freshness"
  | "channel"
  | "manifest"
  | "sandbox"
  | "release";

/** One comparison: what was checked, and how it ended. */
export interface Finding {
  readonly step: Step;
  /** Public kebab-case code of the comparison, the same whether it passed or not. */
  readonly check: string;
  readonly status: "passed" | "failed" | "skipped" | "warning";
  readonly expected: string;
  readonly actual: string;
  readonly reason: string;
  /** Which of many: the register, TCB component, TCB status, certificate. What an exception of the policy names. */
  readonly subject?: string;
  /** Set where it failed and an exception of the policy, named in `reason`, accepts that. */
  readonly excused?: true;
  /** Why it failed, in the words of the conformance cases. Only where it failed, in steps parse, authenticate, platform. */
  readonly code?: FailureCode;
  /** The next step for whoever has to put it right. */
  readonly hint?: string;
}

/**
 * What the Evidence and the Statement say. They are the box's own words unless the status is `affirming` or `warning`:
 * show them with a refusal, decide nothing by them. `null` is what could not be read.
 */
export interface Claims {
  readonly tee: TeeKind | null;
  /** Every register of the Evidence, in lower-case hex, and what its Endorsements say in their place. */
  readonly registers: Readonly<Record<string, string>> | null;
  /** Every field of the Evidence by name, as the page of that TEE lists them, and what its Endorsements say beside them. */
  readonly facts: Readonly<Record<string, JsonValue>> | null;
  /** The register that measures the code, in lower-case hex. */
  readonly measurement: string | null;
  readonly tcb: string | null;
  readonly debug: boolean | null;
  /** Label of the Reference Values that the Evidence equals. */
  readonly release: string | null;
  readonly manifest: string | null;
  readonly runtime: string | null;
  readonly sandboxDriver: string | null;
  /** `sha256:<hex>` of the DER SubjectPublicKeyInfo of the box's TLS key. */
  readonly tls: string | null;
  /** `sha256:<hex>`: head of the egress ledger when the Statement was made; `null` where the box keeps none. */
  readonly ledger: string | null;
  /** `sha256:<hex>`: head of the access log when the Statement was made; `null` where the box keeps none. */
  readonly audit: string | null;
  /** The box's clock, in seconds since 1970. */
  readonly time: number | null;
  /** The level that was proven on this connection; `null` where no nonce was asked for or the proof failed. */
  readonly binding: BindingMode | null;
}

/** What is claimed where nothing could be read at all. */
export const NO_CLAIMS: Claims = Object.freeze({
  tee: null,
  registers: null,
  facts: null,
  measurement: null,
  tcb: null,
  debug: null,
  release: null,
  manifest: null,
  runtime: null,
  sandboxDriver: null,
  tls: null,
  ledger: null,
  audit: null,
  time: null,
  binding: null,
});

/** `affirming` needs every check to have passed; a `warning` is for the caller to accept explicitly or to refuse. */
export type AttestationStatus = "affirming" | "warning" | "contraindicated";

/** What a Verifier concludes, with every comparison that led there. */
export interface AttestationResult {
  readonly status: AttestationStatus;
  readonly tee: TeeKind | null;
  readonly claims: Claims;
  readonly findings: readonly Finding[];
}
