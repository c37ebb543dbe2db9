import type { Method } from "../method.ts";
import type { Principal } from "./principal.ts";

/** Who may call the application, and what they may ask of it. */
export interface Access {
  readonly principals: readonly Principal[];
  /** First match wins; no match is refused. */
  readonly rules: readonly AccessRule[];
  /** The listener for callers with client certificates; null exactly where no principal has one. */
  readonly mutualTls: MutualTls | null;
}

/** A listener of its own, since a client shows its certificate before it can verify anything. */
export interface MutualTls {
  /** TCP port. */
  readonly port: number;
}

/** One rule of access. Everything in it must hold for it to match. */
export interface AccessRule {
  /** Ids of principals, or `anonymous` for callers that present no credential. */
  readonly allow: readonly string[];
  readonly methods: readonly Method[];
  /** Literal path, or one that ends in `/**` for `/` and everything below that folder (see `createAccessDecider`). */
  readonly path: string;
  /** Conditions by lower-case name; empty: none. */
  readonly headers: Readonly<Record<string, HeaderTerm>>;
  /** Whether a request that matches may become a WebSocket, into which the box does not look. */
  readonly upgrade: "none" | "websocket";
  /** Whether each request that the rule lets through is written to the access log. */
  readonly audit: boolean;
  readonly limits: Limits;
}

/** What a header must be. */
export type HeaderTerm =
  /** Sent once, with exactly one of these values. */
  | { readonly oneOf: readonly string[] }
  /** `true`: sent once, with any value. `false`: not sent at all. */
  | { readonly present: boolean };

/** What one rule grants at most. */
export interface Limits {
  /** Bytes of one request body. */
  readonly body: number;
  /** Requests that one principal may start within a minute. */
  readonly requestsPerMinute: number;
  /** Requests that all principals together may start within a minute under this rule, shared fairly between them. */
  readonly totalPerMinute: number;
  /** Requests of one principal that may be open at once. */
  readonly concurrent: number;
  /** Seconds from the head of a request to the end of its answer; of a WebSocket, its life. */
  readonly time: number;
  /** Bytes of one answer; of a WebSocket, all that goes to the caller. */
  readonly response: number;
}
