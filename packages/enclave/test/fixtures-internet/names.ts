/** Who is who in the fake internet. Its addresses are global ones, so that the box would dial them; no packet leaves the machine. */

export const RESOLVER = "11.0.0.53";
export const METADATA = "169.254.169.254";

/** Address by site. Each answers at 443 with its own certificate, at 80 without, and says who it is. */
export const SITES = {
  allowed: "11.0.1.10",
  second: "11.0.1.11",
  forbidden: "11.0.1.20",
  selfSigned: "11.0.1.30",
  untrusted: "11.0.1.31",
  expired: "11.0.1.32",
  database: "11.0.1.40",
} as const;

export type Site = keyof typeof SITES;

/** Name that each site's certificate is for. */
export const CERTIFIED: Readonly<Record<Exclude<Site, "database">, string>> = {
  allowed: "api.allowed.test",
  second: "*.wild.test",
  forbidden: "forbidden.test",
  selfSigned: "api.allowed.test",
  untrusted: "api.allowed.test",
  expired: "api.allowed.test",
};

/** Where the link between the box and the internet lies. */
export const BOX_ADDRESS = "11.0.0.2";
export const GATEWAY_ADDRESS = "11.0.0.1";

/** What DNS says at first; `*.wild.test` are all at `second`. */
export const ZONE: Readonly<Record<string, readonly string[]>> = {
  "api.allowed.test": [SITES.allowed],
  "forbidden.test": [SITES.forbidden],
  "plain.test": [SITES.allowed],
  "db.test": [SITES.database],
  "private.test": ["10.0.0.5", "192.168.1.1", "127.0.0.1", "100.64.0.1"],
  "metadata.test": [METADATA, "168.63.129.16"],
};

/** One thing that reached the internet: a datagram, a connection, a request, a question. */
export interface Seen {
  readonly kind: "dns" | "udp" | "tcp" | "tls" | "http" | "bytes";
  /** Address and port that were addressed, or the name that was asked for. */
  readonly to: string;
  /** Method and target of a request, name in a ClientHello, or how many bytes there were. */
  readonly what: string;
}
