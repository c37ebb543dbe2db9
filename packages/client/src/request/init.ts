/** Reading of what a caller says about one request. */
import { readMembers } from "../options/members.ts";
import type { RequestBody } from "../transport/transport.ts";
import { BOX_AUTHORIZATION, isApiKeyAuthorization } from "./credentials.ts";

/** What a caller may say about one request. Unknown members are TypeErrors. */
export interface SessionRequestInit {
  /**
   * Default: none. `Host` and the fields that govern a connection are refused: they are not the caller's. So is an
   * `authorization` that holds an API key of a box: that is an option of the session, which keeps it from the application.
   */
  readonly headers?: Headers | Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /**
   * Default: none. A string is sent as `text/plain`, `URLSearchParams` as a form, `FormData` as `multipart/form-data`, a
   * `Blob` as its own type, unless `headers` names a `content-type`. Streams are sent as they are read.
   */
  readonly body?: RequestBody | null;
  /** Ends the request, or the reading of its response, at any time. Default: none. */
  readonly signal?: AbortSignal | null;
}

/** A request's parts after every check. */
export interface CheckedInit {
  readonly headers: Headers;
  readonly body: RequestBody | null;
  readonly signal: AbortSignal | null;
}

/** Fields about one connection (RFC 9110, section 7.6.1), the origin, or the session's own. */
const reservedFields: readonly string[] = [
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  BOX_AUTHORIZATION,
];

/** @throws TypeError naming the member that is unknown or wrong. */
export function readInit(init: unknown, method: string, names: readonly string[]): CheckedInit {
  const members = init === undefined ? {} : readMembers(init, "init", { required: [], optional: names });
  const headers = readHeaders(members["headers"]);
  const body = readBody(members["body"] ?? null, headers);
  if (body !== null && (method === "GET" || method === "HEAD")) throw new TypeError(`${method} takes no init.body`);
  return { headers, body, signal: readSignal(members["signal"] ?? null) };
}

function readHeaders(value: unknown): Headers {
  const headers = makeHeaders(value);
  const reserved = reservedFields.find((name) => headers.has(name));
  if (reserved !== undefined) throw new TypeError(`init.headers must not hold ${reserved}: the session decides on it`);
  if (isApiKeyAuthorization(headers.get("authorization") ?? "")) {
    throw new TypeError("init.headers must not hold an API key in authorization: it belongs in the session's options");
  }
  // Compressed answers would tell their content through their length, so none is asked for.
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity");
  return headers;
}

function makeHeaders(value: unknown): Headers {
  try {
    return new Headers((value ?? {}) as Readonly<Record<string, string>>);
  } catch {
    // The runtime's own message repeats the value, which may be a secret.
    throw new TypeError("init.headers must hold well-formed names and values");
  }
}

function readBody(value: unknown, headers: Headers): RequestBody | null {
  if (value === null) return null;
  if (typeof value === "string") return named(headers, "text/plain;charset=UTF-8", value);
  if (value instanceof URLSearchParams) {
    return named(headers, "application/x-www-form-urlencoded;charset=UTF-8", value.toString());
  }
  if (isBinary(value)) return value as RequestBody;
  throw new TypeError("init.body must be a string, bytes, a Blob, FormData, URLSearchParams, a stream or an iterable");
}

function named(headers: Headers, type: string, body: string): string {
  if (!headers.has("content-type")) headers.set("content-type", type);
  return body;
}

function isBinary(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const isBlob = "stream" in value && "size" in value;
  const isIterable = Symbol.asyncIterator in value || Symbol.iterator in value;
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) || isBlob || isIterable;
}

function readSignal(value: unknown): AbortSignal | null {
  if (value === null) return null;
  if (typeof value === "object" && "addEventListener" in value && "aborted" in value) return value as AbortSignal;
  throw new TypeError("init.signal must be an AbortSignal");
}
