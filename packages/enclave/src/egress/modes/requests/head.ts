/** The head of a request of the application: what is read from it, and what makes it unacceptable whatever the rules say. */
import type { IncomingMessage } from "node:http";
import { normalizeHostName } from "@blindbox/manifest";
import type { Destination } from "../../contract.ts";
import type { EgressErrorCode } from "../../errors.ts";

/** Values of all lines of one name, in the order in which they were sent. Node's own view drops or joins repeated ones. */
export function valuesOf(raw: readonly string[], lowerCaseName: string): string[] {
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === lowerCaseName);
}

/** The names that `Connection` lines list, in lower case: headers and options of this connection only. */
export function connectionOptions(raw: readonly string[]): ReadonlySet<string> {
  const listed = valuesOf(raw, "connection").flatMap((value) => value.split(","));
  return new Set(listed.map((option) => option.trim().toLowerCase()));
}

/**
 * What is wrong with the form of a request, or null. Node's parser refused most malformed requests before; what it lets
 * pass and two servers could read differently is refused here: nothing is repaired.
 */
export function formFault(request: IncomingMessage, maxLines: number): EgressErrorCode | null {
  const { rawHeaders: raw, httpVersion, method } = request;
  if (httpVersion !== "1.1" || raw.length > 2 * maxLines || !hasOneFraming(raw)) return "refused-request-form";
  // Sent back by whoever gets it, credentials and all; and CONNECT would make a tunnel.
  if (method === "TRACE" || method === "CONNECT") return "refused-request-method";
  return valuesOf(raw, "host").length === 1 ? null : "refused-request-host";
}

function hasOneFraming(raw: readonly string[]): boolean {
  const lengths = valuesOf(raw, "content-length");
  const codings = valuesOf(raw, "transfer-encoding");
  if (codings.length > 0)
    return lengths.length === 0 && codings.length === 1 && codings[0]?.toLowerCase() === "chunked";
  // At most 15 digits: every such number is exact.
  return lengths.length === 0 || (lengths.length === 1 && /^[0-9]{1,15}$/.test(lengths[0] ?? ""));
}

/** Does the request carry a body? */
export function hasBody(request: IncomingMessage): boolean {
  const [length] = valuesOf(request.rawHeaders, "content-length");
  if (length !== undefined) return Number(length) > 0;
  return valuesOf(request.rawHeaders, "transfer-encoding").length > 0;
}

/**
 * `Host` as the upstream gets it: the name of the destination in its normal form, with the port where one was written.
 * Null where the application wrote another name or port.
 */
export function hostFor(request: IncomingMessage, { name, port }: Destination): string | null {
  const [, host = "", digits] = /^([^:]*)(?::([0-9]{1,5}))?$/.exec(request.headers.host ?? "") ?? [];
  if (name === null || normalizeHostName(host) !== name) return null;
  if (digits === undefined) return name;
  return digits === String(port) ? `${name}:${port}` : null;
}
