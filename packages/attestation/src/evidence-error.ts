/** What a vendor's parser throws where the reason has a name of its own beside the encoding's. */
import { EncodingError, type EncodingErrorCode } from "@blindbox/encoding";
import type { FailureCode } from "./failure-codes.ts";

/** Evidence or Endorsements that are not of the form that their kind has; `failure` is the public code. */
export class EvidenceError extends EncodingError {
  readonly failure: FailureCode;

  constructor(failure: FailureCode, field: string, expected: string, actual: string) {
    super(encodingCodes.get(failure) ?? "bad-encoding", field, expected, actual);
    this.failure = failure;
  }
}

const encodingCodes: ReadonlyMap<FailureCode, EncodingErrorCode> = new Map([
  ["truncated", "truncated"],
  ["trailing-bytes", "trailing-bytes"],
  ["reserved-not-zero", "reserved-not-zero"],
]);

/** The public code of a parser's refusal. */
export function failureOf(error: EncodingError): FailureCode {
  if (error instanceof EvidenceError) return error.failure;
  return error.code === "limit-exceeded" ? "bad-encoding" : error.code;
}

/**
 * Runs `read`, and gives whatever it refuses the code `failure`: a certificate that is cut short is a bad certificate, not
 * truncated Evidence.
 */
export function readAs<T>(failure: FailureCode, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncodingError) throw new EvidenceError(failure, error.field, error.expected, error.actual);
    throw error;
  }
}
