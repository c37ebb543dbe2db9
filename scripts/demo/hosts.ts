/** Who is who in the fake internet. Its addresses are global ones, since the box dials no others; no packet leaves this machine. */

export const addresses = {
  /** The two ends of the link. */
  box: "11.0.0.2",
  gateway: "11.0.0.1",
  resolver: "11.0.0.53",
  records: "11.0.1.10",
  impostor: "11.0.1.66",
  telemetry: "11.0.1.99",
} as const;

/** Names as examples/transcriber has them: in its Manifest, and hidden in its server. */
export const names = {
  records: "records.clinic.example",
  telemetry: "telemetry.transcriber.example",
} as const;

/** One thing that reached the fake internet. */
export interface Arrival {
  /** A question to DNS, a connection, the end of one whose TLS handshake failed, a request. */
  readonly kind: "question" | "connection" | "no-handshake" | "request";
  /** The name that was asked for, or the address that was dialled. */
  readonly to: string;
  /** Method, target and body of a request; why there was no handshake; else empty. */
  readonly text: string;
}

/** What the fake internet says, a line each. */
export type Line = Arrival | { readonly authority: string } | { readonly redirected: string };
