/** What a caller may say when it opens a session. Types only; `read-options.ts` checks them. */
import type { AppraisalPolicy, Tee } from "@blindbox/attestation";
import type { Release } from "@blindbox/release";
import type { Requirement } from "./requirement.ts";

/** A Release as the caller holds it: parsed, or the text of a `blindbox.release.json`. Reading files is the caller's. */
export type ReleaseSource = Release | string;

/** Warnings that a caller can accept by name; see {@link VerifyOptions.accept}. */
export type AcceptableWarning = "release-unsigned" | "debug";

/**
 * Who the caller is to the box. What goes into headers is sent on attested connections only. A box admits a caller by all that
 * it presents: give what one principal of the Manifest asks for, and nothing more.
 */
export type Credentials =
  | CallerCredentials
  /** No credential is sent: the Manifest must admit `anonymous` callers. Alone. */
  | { readonly anonymous: true };

/** At least one of its members. */
export interface CallerCredentials {
  /** `bb_` and 43 base64url characters. Alone it is sent as `Authorization: Bearer`. */
  readonly apiKey?: string;
  /** A JWT. Sent as `x-blindbox-authorization: Bearer`, which no box shows to its application, alone or with the key. */
  readonly token?: TokenSource;
  /**
   * Shown in the TLS handshake of a box's listener for certificates (`access.mutualTls.port`), and on no other. Node only.
   *
   * **Shown before anything is verified**: in TLS a client proves who it is before it can attest the box, so whoever
   * answers at that address learns this name. It learns nothing else, and cannot use it elsewhere.
   */
  readonly certificate?: ClientCertificate;
}

/**
 * A JWT in compact form, or what returns one. A function is first called for the first request of a session, which is after
 * the box was verified, and again when the `exp` of its last token is less than a minute away (or half its remaining life,
 * where it has less than two): its result is shared by all requests until then. What it throws is what the request rejects
 * with. A token without an integer `exp` is asked for anew with every request.
 */
export type TokenSource = string | (() => string | Promise<string>);

/** A client certificate, in PEM. */
export interface ClientCertificate {
  /** The private key, not encrypted. */
  readonly key: string;
  /** The certificate, and behind it that of its issuer, whose key the Manifest pins. */
  readonly cert: string;
}

/** Limits in milliseconds; each must be at least 1. */
export interface TimeoutOptions {
  /** TCP and TLS handshake. Default 10,000. */
  readonly connect?: number;
  /** The attestation exchange, from its request to the last byte of its answer. Default 30,000. */
  readonly attestation?: number;
  /** From a request's last byte to its response's head. Default 300,000. */
  readonly headers?: number;
  /** Between two chunks of a response's body. Default 300,000. */
  readonly body?: number;
}

/** What decides whether a box is accepted. Unknown members and missing mandatory ones are TypeErrors. */
export interface VerifyOptions {
  /**
   * The Releases that are accepted, at least one. Mandatory. They are trusted because the caller hands them over: nothing
   * in this version signs them (see `accept`).
   */
  readonly release: ReleaseSource | readonly ReleaseSource[];
  /** The TEEs that are accepted, at least one: hardware, or `[simulated({ root })]` alone. Mandatory. */
  readonly tees: readonly Tee[];
  /**
   * What the box must enforce. Mandatory, even where a Release names a Manifest: its exact digest, `sha256:<64 hex>`, or
   * everything that it may allow at most.
   */
  readonly require: Requirement;
  /** The Appraisal Policy; all its members are required. Default: `strictPolicy`. */
  readonly policy?: AppraisalPolicy;
  /** How Evidence is bound to the connection. Only `tls-exporter`, which is the default. */
  readonly binding?: "tls-exporter";
  /**
   * Warnings that are accepted, by their `check`. Default: none. `release-unsigned` accepts a Release that carries no
   * signature; on simulated TEEs, which are explicitly accepted by passing them in `tees`, it is accepted with them.
   * `debug` accepts a TEE in debug mode, where `policy` allows one at all.
   */
  readonly accept?: readonly AcceptableWarning[];
  readonly timeouts?: TimeoutOptions;
  /** The clock by which validity and age are judged. Default: this machine's. */
  readonly now?: () => Date;
}

/** Everything about one session. */
export interface SessionOptions extends VerifyOptions {
  /** Mandatory: an API key, a token, a client certificate or several of them; or explicitly none. */
  readonly credentials: Credentials;
  /**
   * Longest life of a connection after its attestation, in seconds. A request that is under way is finished; the next one
   * goes over a newly attested connection. Default 3600.
   */
  readonly maxEvidenceAge?: number;
  /** Most connections at once, each with one request at a time; further requests wait. Default 64. */
  readonly maxConnections?: number;
}
