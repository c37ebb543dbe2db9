/** What went wrong on the way to a box, apart from what the box proved or failed to prove. */

/**
 * - `unreachable`: no TCP connection (name, route, refusal, reset).
 * - `tls-failed`: TCP, but no TLS 1.3 handshake.
 * - `busy`: the box answered 503 to the attestation request; asking again later is right.
 * - `timeout`: see {@link TimeoutError}.
 * - `closed`: the connection ended before the answer did. A request that was sent may have been carried out.
 * - `malformed-response`: what came back is no HTTP/1.1 response.
 */
export type ConnectionErrorCode = "unreachable" | "tls-failed" | "busy" | "timeout" | "closed" | "malformed-response";

/** What was going on: opening TCP and TLS, the attestation exchange, or one of the two halves of a request. */
export type ConnectionPhase = "connect" | "attestation" | "headers" | "body";

const hints: Readonly<Record<ConnectionErrorCode, string>> = {
  unreachable: "check the address, and that the box is running",
  "tls-failed": "a box speaks TLS 1.3 with its own certificate: check that nothing else listens there",
  busy: "the box has too many attestations in its queue: try again in a few seconds",
  timeout: "check the network, or raise the limit in `timeouts`",
  closed: "send the request again only if it is safe to be carried out twice",
  "malformed-response": "check the application inside the box",
};

/** No connection, or one that ended too early. Nothing is said by it about whether the other end is an enclave. */
export class ConnectionError extends Error {
  readonly code: ConnectionErrorCode;
  readonly phase: ConnectionPhase;
  readonly hint: string;

  /** `detail` is a fact of this machine (a system error code, a duration), never text that the peer sent. */
  constructor(code: ConnectionErrorCode, phase: ConnectionPhase, detail: string) {
    super(`${code} (${phase}): ${detail}; ${hints[code]}`);
    this.name = "ConnectionError";
    this.code = code;
    this.phase = phase;
    this.hint = hints[code];
  }
}

/** One of the limits of `timeouts` passed; `phase` says which. */
export class TimeoutError extends ConnectionError {
  readonly milliseconds: number;

  constructor(phase: ConnectionPhase, milliseconds: number) {
    super("timeout", phase, `${milliseconds} ms passed`);
    this.name = "TimeoutError";
    this.milliseconds = milliseconds;
  }
}
