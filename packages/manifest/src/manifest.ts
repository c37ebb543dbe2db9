import type { Access } from "./access/rule.ts";
import type { Method } from "./method.ts";

/**
 * The Manifest in its resolved form (DESIGN section 4): what the box enforces on the application, its callers and its
 * ways out. Every part is present, every default is filled in, the image is a digest. The canonical JSON of this value is
 * what is hashed, measured and shown to every client, so nothing in it may be a secret.
 */
export interface Manifest {
  readonly type: "blindbox-manifest/1";
  /** Lower-case DNS label. */
  readonly name: string;
  readonly app: App;
  readonly access: Access;
  /** Empty: no way out. */
  readonly egress: readonly Egress[];
  /** What leaves the box as a log: nothing, one line of codes a request, or what the application prints as well. */
  readonly logs: Logs;
  readonly operations: Operations;
  /** What the access log keeps. Who reads it stands at the principals: `audit`. */
  readonly audit: AuditTrail;
}

/** What the box tells whoever runs it, beside its logs. */
export interface Operations {
  /** TCP port of a plain HTTP listener with `/livez`, `/readyz` and, where `metrics` says so, `/metrics`; null: none. */
  readonly port: number | null;
  /** `live`: a constant once the box has started. `ready`: whether the application is ready now, which it can signal with; needs `port`. */
  readonly health: "live" | "ready";
  /** `coarse`: counts and sums in Prometheus form, with labels from a closed list; needs `port`. */
  readonly metrics: Metrics;
}

/** What the box counts for whoever runs it. */
export type Metrics = "none" | "coarse";

/** How much the access log holds. */
export interface AuditTrail {
  /** Entries that are kept; the hash chain goes on over those that were dropped. */
  readonly entries: number;
}

/** What may leave the box as a log. */
export type Logs = "none" | "metadata" | "app";

/** The application and the sandbox it is given. */
export interface App {
  /** Digest of the source image: `sha256:<64 lower-case hex>`. */
  readonly image: string;
  /** TCP port on which the application listens inside its sandbox. */
  readonly port: number;
  readonly user: User;
  /** The whole argument vector: the image's entrypoint and command, or what the source form put in their place. */
  readonly command: readonly string[];
  /** Absolute path. */
  readonly workingDir: string;
  /** The whole environment: the image's, then the source form's on top. Nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Path to ask until it answers with a 2xx; null: the application is ready when its port accepts a connection. */
  readonly ready: Ready | null;
  /** Absolute paths that are writable (and empty at start); all others are read-only. */
  readonly writable: readonly string[];
  readonly resources: Resources;
  /**
   * `one`: the application keeps the user it is started as. `many`: it may change to other users of its image and give
   * files to them, as nginx and PostgreSQL do, which needs the `rooted` driver.
   */
  readonly users: "one" | "many";
}

/** Numeric user and group inside the sandbox, 0 to 65535. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** What is asked of the application to learn that it is ready. */
export interface Ready {
  /** Absolute path of a `GET`. */
  readonly path: string;
}

/** What the application may use at most. */
export interface Resources {
  /** Bytes. */
  readonly memory: number;
  /** Thousandths of one CPU: 1000 is one CPU. */
  readonly cpus: number;
  /** Processes and threads together. */
  readonly processes: number;
  /** Bytes of the private `/tmp`. */
  readonly tmp: number;
}

/** One way out. The first three see or check what goes through; `tcp` and `http` trust the network, and say so. */
export type Egress = VerifiedEgress | PassthroughEgress | HttpEgress | TcpEgress;

/** What the box lets through to the paths and methods of one host. `any` must be written. */
export interface RequestRules {
  readonly methods: readonly Method[] | "any";
  /** Literal paths or paths that end in `/**`. */
  readonly paths: readonly string[] | "any";
}

/** HTTPS that the box itself originates: it verifies the host's certificate, and sees every request. */
export interface VerifiedEgress extends RequestRules {
  readonly mode: "verified";
  /** Lower-case DNS name, or `*.` and one. */
  readonly host: string;
  readonly ports: readonly number[];
  /** Whether a request may become a WebSocket, into which the box does not look. */
  readonly websocket: boolean;
  /** `sha256:<64 lower-case hex>` of SPKIs, of which one must be in the verified chain; empty: none is demanded. */
  readonly pins: readonly string[];
  /** Base64 of DER certificates that are the only roots for this host; null: the measured root store. */
  readonly roots: readonly string[] | null;
}

/** TLS that the box does not look into; weaker, since it trusts the network to lead to the host. */
export interface PassthroughEgress {
  readonly mode: "passthrough";
  /** Lower-case DNS name, or `*.` and one. */
  readonly host: string;
  readonly ports: readonly number[];
}

/** Plain HTTP whose requests the box sees, and so does the network. */
export interface HttpEgress extends RequestRules {
  readonly mode: "http";
  /** Lower-case DNS name, or `*.` and one. */
  readonly host: string;
  readonly ports: readonly number[];
  readonly trusts: "network";
}

/** Bytes of any protocol, unprotected by the box. */
export interface TcpEgress {
  readonly mode: "tcp";
  /** Lower-case DNS name, `*.` and one, or an IPv4 address in dotted form. */
  readonly host: string;
  readonly ports: readonly number[];
  readonly trusts: "network";
}
