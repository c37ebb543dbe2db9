/** What can be wrong with bytes or text that claim to be in one of our encodings. */
export type EncodingErrorCode =
  | "truncated"
  | "trailing-bytes"
  | "reserved-not-zero"
  | "bad-encoding"
  | "limit-exceeded";

/**
 * The only error that this package throws for bad data. It names the field, what was expected and what was there
 * (lengths, types and numbers; never text out of the data), so it may be shown and logged.
 */
export class EncodingError extends Error {
  override readonly name = "EncodingError";
  readonly code: EncodingErrorCode;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;

  constructor(code: EncodingErrorCode, field: string, expected: string, actual: string) {
    super(`${field}: expected ${expected}, got ${actual} (${code})`);
    this.code = code;
    this.field = field;
    this.expected = expected;
    this.actual = actual;
  }
}
