import { errors } from "undici";
import { ConnectionError, TimeoutError } from "../../connection-error.ts";
import type { Timeouts } from "../transport.ts";

/** Codes of the system, and of TLS, for a connection that ended. */
const closedCode = /^(ECONNRESET|EPIPE|ETIMEDOUT|ERR_SSL_.*)$/;

/** Answers of which undici says that they are no HTTP/1.1 response. */
const malformed = [errors.HTTPParserError, errors.HeadersOverflowError, errors.ResponseContentLengthMismatchError];

/**
 * The error that a caller sees. undici's own are replaced without a cause: some hold bytes of the response. What a caller's
 * body stream threw, an abort's reason, and our own errors come through as they are.
 */
export function toFault(error: unknown, phase: "headers" | "body", timeouts: Timeouts): unknown {
  if (error instanceof errors.HeadersTimeoutError) return new TimeoutError("headers", timeouts.headers);
  if (error instanceof errors.BodyTimeoutError) return new TimeoutError("body", timeouts.body);
  if (error instanceof errors.InvalidArgumentError) return new TypeError("the request is not well-formed HTTP/1.1");
  if (error instanceof errors.RequestContentLengthMismatchError) {
    return new TypeError("init.body has another length than its content-length says");
  }
  if (malformed.some((known) => error instanceof known)) {
    return new ConnectionError("malformed-response", phase, "not HTTP/1.1");
  }
  const ended = error instanceof errors.UndiciError || closedCode.test(codeOf(error));
  return ended ? new ConnectionError("closed", phase, codeOf(error)) : error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
