/** What a connection must be like before Evidence can be bound to it. */
export const CHANNEL_EXPECTATIONS = {
  "tls-version": "TLS 1.3",
  "tls-application-protocol": "ALPN http/1.1",
  "tls-full-handshake": "a full handshake, no resumption",
  "tls-certificate": "a certificate with a public key",
  "tls-exporter": "32 bytes of TLS exporter that are not all zero",
} as const;

/** Public code of one fault; also the `check` of the Finding that tells of it. */
export type ChannelCheck = keyof typeof CHANNEL_EXPECTATIONS;

/** The connection cannot be bound to Evidence, so none is asked for. */
export class ChannelError extends Error {
  readonly check: ChannelCheck;
  readonly expected: string;
  readonly actual: string;

  constructor(check: ChannelCheck, actual: string) {
    super(`${check}: expected ${CHANNEL_EXPECTATIONS[check]}, got ${actual}`);
    this.name = "ChannelError";
    this.check = check;
    this.expected = CHANNEL_EXPECTATIONS[check];
    this.actual = actual;
  }
}
