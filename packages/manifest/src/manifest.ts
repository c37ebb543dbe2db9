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

/** Who may call the application, and what they may ask of it. */
export interface Access {
  readonly principals: readonly Principal[];
  /** First match wins; no match is refused. */
  readonly rules: readonly AccessRule[];
}

/** A caller known by its key material. Its `id` only names it within this document. */
export type Principal = ApiKeyPrincipal | JwtPrincipal | CertificatePrincipal;

/** A caller that presents `Authorization: Bearer bb_…`. */
export interface ApiKeyPrincipal {
  readonly id: string;
  /** `sha256:<64 lower-case hex>` of the whole ASCII key. */
  readonly apiKey: string;
  /** Whether the caller may read the egress ledger. */
  readonly audit: boolean;
}

/** A caller that presents a JWT of one issuer for one audience. */
export interface JwtPrincipal {
  readonly id: string;
  readonly jwt: {
    /** `https` URL. */
    readonly issuer: string;
    readonly audience: string;
    readonly keys: JwkSet;
    readonly algorithms: readonly JwtAlgorithm[];
  };
}

/** A caller that presents a TLS client certificate of one issuer. */
export interface CertificatePrincipal {
  readonly id: string;
  readonly certificate: {
    /** `sha256:<64 lower-case hex>` of the issuer's SPKI. */
    readonly issuer: string;
  };
}

/** Signature algorithms of JWTs that can be named: public-key ones only. */
export type JwtAlgorithm = "ES256" | "ES384" | "ES512" | "EdDSA" | "PS256" | "PS384" | "PS512" | "RS256";

/** Public keys (RFC 7517). A member that would hold private or symmetric key material is refused. */
export interface JwkSet {
  readonly keys: readonly Jwk[];
}

/** One public key (RFC 7517, RFC 7518, RFC 8037): a closed list of members. */
export type Jwk = Readonly<Record<string, string | readonly string[]>>;

/** The methods a rule can name. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** One rule of access. */
export interface AccessRule {
  /** Ids of principals, or `anonymous` for callers that present no credential. */
  readonly allow: readonly string[];
  readonly methods: readonly Method[];
  /** Literal path, or one that ends in `/**` for `/` and everything below that folder (see `createAccessDecider`). */
  readonly path: string;
  readonly limits: Limits;
}

/** What one rule grants at most. */
export interface Limits {
  /** Bytes of one request body. */
  readonly body: number;
  /** Requests that one principal may start within a minute. */
  readonly requestsPerMinute: number;
  /** Requests of one principal that may be open at once. */
  readonly concurrent: number;
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

/** The id that stands for callers that present no credential. No principal may bear it. */
export const ANONYMOUS = "anonymous";
