/**
 * A Release (DESIGN section 8): which bytes a vendor published, under which Manifest, and what a box that runs them
 * measures as. Canonical JSON. This version of the document carries no signature: see `assessRelease`.
 */
export interface Release {
  readonly type: "blindbox-release/1";
  readonly product: string;
  readonly channel: string;
  readonly version: string;
  /** Grows by at least one with each release of a product and channel. */
  readonly sequence: number;
  readonly runtime: Runtime;
  readonly app: {
    /** Digest of the source image: `sha256:<64 lower-case hex>`. */
    readonly image: string;
  };
  /** Digest of the resolved Manifest. */
  readonly manifest: string;
  /** At least one tuple, all of the runtime's TEE. */
  readonly referenceValues: readonly ReferenceTuple[];
  /** Digest of the release before this one; null for the first. */
  readonly previous: string | null;
}

/** Everything measured beside the application and the Manifest. Its digest is the Statement's `runtime`. */
export interface Runtime {
  readonly type: "blindbox-runtime/1";
  /** Version of BlindBox. */
  readonly version: string;
  readonly tee: ReleaseTee;
  /** Digest of the enclave bundle. */
  readonly bundle: string;
  /** Digest of the Node binary. */
  readonly node: string;
}

/** The kinds of TEE that a release can name. */
export type ReleaseTee = "sev-snp" | "tdx" | "nitro" | "azure-vtpm" | "simulated";

/** One complete set of registers of one TEE. */
export interface ReferenceTuple {
  readonly tee: ReleaseTee;
  /** Lower-case hex. */
  readonly registers: Readonly<Record<string, string>>;
}

/** One tuple with what the rest of its release says: what a verifier compares Evidence and Statement with. */
export interface ReleaseReferenceValues extends ReferenceTuple {
  /** Digest of the Manifest. */
  readonly manifest: string;
  /** Digest of the runtime. */
  readonly runtime: string;
  /** Label for findings: product, channel, version and sequence. */
  readonly release: string;
}
