import type { Principal } from "../access/principal.ts";
import type { MutualTls } from "../access/rule.ts";
import type { AccessRuleSource } from "../access/rule-shape.ts";
import type { App, AuditTrail, Egress, Logs, Operations, Ready, Resources, User } from "../manifest.ts";

export type { AccessRuleSource };

/**
 * The Manifest as a vendor writes it (`blindbox.yml`), after reading: sizes are bytes, CPUs are thousandths, `[any]` is
 * the list of all methods. What was left out is absent; `resolveManifest` fills it in.
 */
export interface ManifestSource {
  readonly blindbox: 1;
  readonly name: string;
  readonly app: AppSource;
  readonly access: AccessSource;
  /** Left out: no way out. */
  readonly egress?: readonly Egress[];
  /** Left out: `none`. */
  readonly logs?: Logs;
  /** Left out: `DEFAULT_OPERATIONS`. */
  readonly operations?: Operations;
  /** Left out: `DEFAULT_AUDIT`. */
  readonly audit?: AuditTrail;
}

/** The application, as written. */
export interface AppSource {
  /** Path of an OCI layout or archive, or a registry reference. */
  readonly image: string;
  readonly port: number;
  /** Left out: the image's. */
  readonly user?: User;
  /** Takes the place of the image's entrypoint and command, both. Left out: the image's. */
  readonly command?: readonly string[];
  /** Added to the image's environment, and wins over it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Left out: ready when the port accepts a connection. */
  readonly ready?: Ready;
  /** Left out: nothing but `/tmp`. */
  readonly writable?: readonly string[];
  /** Left out, or in part: `DEFAULT_RESOURCES`. */
  readonly resources?: Partial<Resources>;
  /** Left out: `one`. */
  readonly users?: App["users"];
}

/** Who may call, as written. */
export interface AccessSource {
  /** Left out: nobody but `anonymous` can be named. */
  readonly principals?: readonly Principal[];
  readonly rules: readonly AccessRuleSource[];
  /** Left out: no caller has a client certificate. */
  readonly mutualTls?: MutualTls;
}

/** What an image says of itself, with its user looked up: what `resolveManifest` fills in from. */
export interface ImageFacts {
  /** `sha256:<64 lower-case hex>` of the image's manifest. */
  readonly digest: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: User;
  /** Absolute path; empty means `/`. */
  readonly workingDir: string;
}
