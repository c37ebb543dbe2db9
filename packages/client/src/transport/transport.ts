/** What a session needs of the one part that depends on the runtime: attested connections to one origin. Types only. */
import type { AttestationResult, VerificationInput } from "@blindbox/attestation";
import type { ClientCertificate } from "../options/options.ts";
import type { AnswerError } from "./answer-error.ts";
import type { ChannelError } from "./channel-error.ts";

/** All in milliseconds. */
export interface Timeouts {
  readonly connect: number;
  readonly attestation: number;
  readonly headers: number;
  readonly body: number;
}

/** Judges what a new connection brought. */
export interface Appraiser {
  /** Verifies an Evidence document against this connection. Never rejects for bad Evidence. */
  appraise(input: VerificationInput): Promise<AttestationResult>;
  /** The contraindicated result of a connection that brought no Evidence, or that could not be bound to it. */
  refuse(fault: AnswerError | ChannelError): AttestationResult;
}

export interface TransportOptions {
  readonly origin: URL;
  readonly appraiser: Appraiser;
  readonly timeouts: Timeouts;
  /** Longest life of a connection after its attestation, in seconds, beyond the requests that are in flight by then. */
  readonly maxEvidenceAge: number;
  readonly maxConnections: number;
  /** Shown in the handshake to a listener that asks for one; null: none. */
  readonly certificate: ClientCertificate | null;
  readonly now: () => Date;
  /** Why nothing may be sent on a result, or `null`. Asked before a connection carries its first request. */
  readonly refusal: (result: AttestationResult) => Error | null;
}

/** Anything that `fetch` takes as a body. Streams and iterables are read once, as fast as the box takes them. */
export type RequestBody =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>;

export interface TransportRequest {
  readonly method: string;
  /** Origin-form: path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: RequestBody | null;
  readonly signal: AbortSignal | null;
}

/** Attested connections to one origin. Every request goes over a connection whose result met no `refusal`. */
export interface Transport {
  /** The result of the newest connection. */
  attestation(): AttestationResult;
  send(request: TransportRequest): Promise<Response>;
  /** Waits for requests in flight, then ends all connections. */
  close(): Promise<void>;
}

/** The runtime's part, chosen by the package's `imports` map under `#pinned-tls`. */
export interface PinnedTls {
  /**
   * Opens and attests the first connection. Rejects with the refusal, a ConnectionError, or a TypeError for a certificate
   * that TLS does not take.
   */
  openTransport(options: TransportOptions): Promise<Transport>;
  /** Opens and attests one connection, closes it, and returns the result as it is. Rejects with a ConnectionError only. */
  attestOnce(
    options: Omit<TransportOptions, "refusal" | "maxEvidenceAge" | "maxConnections" | "certificate">,
  ): Promise<AttestationResult>;
}
