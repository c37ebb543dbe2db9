/** The head of a request: what is read from it, and what makes it unacceptable whoever sent it. */
import type { IncomingMessage } from "node:http";
import type { ProblemCode } from "./problems.ts";

/** Every line of the headers that decide, in the order in which they were sent. */
export interface RequestHead {
  readonly host: readonly string[];
  readonly contentLength: readonly string[];
  readonly transferEncoding: readonly string[];
  readonly authorization: readonly string[];
  readonly boxAuthorization: readonly string[];
  /** Lower-case names that `Connection` declares to be for this connection only. */
  readonly connectionOptions: ReadonlySet<string>;
}

/** Reads the raw lines, since Node's own view drops or joins repeated ones. */
export function readHead(rawHeaders: readonly string[]): RequestHead {
  const lines = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (deciding.has(name)) lines.set(name, [...(lines.get(name) ?? []), rawHeaders[at + 1] ?? ""]);
  }
  return {
    host: lines.get("host") ?? [],
    contentLength: lines.get("content-length") ?? [],
    transferEncoding: lines.get("transfer-encoding") ?? [],
    authorization: lines.get("authorization") ?? [],
    boxAuthorization: lines.get("x-blindbox-authorization") ?? [],
    connectionOptions: new Set((lines.get("connection") ?? []).flatMap(optionsOf)),
  };
}

const deciding = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "authorization",
  "x-blindbox-authorization",
  "connection",
]);

/** The names in the value of one `Connection` header, in lower case. */
export function optionsOf(value: string): string[] {
  return value.split(",").map((option) => option.trim().toLowerCase());
}

/**
 * What is wrong with the head, or null. Node's parser has refused most malformed requests before; what it lets pass and
 * two servers could read differently is refused here: nothing is repaired.
 */
export function headFault(request: IncomingMessage, head: RequestHead, maxLines: number): ProblemCode | null {
  if (request.httpVersion !== "1.1") return "http-version";
  if (request.rawHeaders.length > 2 * maxLines) return "headers-too-large";
  if (!hasOneFraming(head)) return "bad-request";
  if (head.host.length !== 1) return "bad-request";
  if (!isHost(head.host[0] ?? "")) return "bad-host";
  if (head.authorization.length > 1 || head.boxAuthorization.length > 1) return "repeated-credential";
  return null;
}

function hasOneFraming({ contentLength, transferEncoding }: RequestHead): boolean {
  if (transferEncoding.length === 0) return contentLength.length === 0 || isLength(contentLength);
  return (
    contentLength.length === 0 && transferEncoding.length === 1 && transferEncoding[0]?.toLowerCase() === "chunked"
  );
}

// At most 15 digits: every such number is exact.
function isLength(contentLength: readonly string[]): boolean {
  return contentLength.length === 1 && /^[0-9]{1,15}$/.test(contentLength[0] ?? "");
}

// A DNS name or IPv4 address in LDH labels, or an IPv6 address in brackets; then an optional port.
const hostForm =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

function isHost(host: string): boolean {
  return host.length <= 261 && hostForm.test(host);
}
