/** Which headers cross the gateway. Everything else crosses byte for byte, in order, repeated lines repeated. */
import { hostOverrides, pathAndMethodOverrides } from "../overrides.ts";
import { optionsOf, type RequestHead } from "./head.ts";

/** For one connection only (RFC 9110, section 7.6.1). */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
];

/**
 * Also kept from the application, beside what names another host, path or method (`overrides.ts`): what only a gateway may
 * say of a caller, what sets its outgoing proxy (CGI reads `Proxy` as HTTP_PROXY), or has a server in the image send files
 * of its own. `trailer`: trailers of requests are not passed on.
 */
const claims = [
  "expect",
  "http2-settings",
  "proxy",
  "trailer",
  "true-client-ip",
  "via",
  "x-accel-mapping",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-forwarded",
  "x-real-ip",
  "x-sendfile-type",
];

const notForApp = new Set([...hopByHop, ...claims, ...hostOverrides, ...pathAndMethodOverrides]);
const reservedPrefixes = ["x-blindbox-", "x-forwarded-"];

/** What goes on to the application only because of who asks and by which rule. */
export interface Passes {
  /** True where `Authorization` is the application's own. */
  readonly passesAuthorization: boolean;
  /** The method overrides that the rule names. */
  readonly passes: readonly string[];
}

/**
 * The caller's headers as the application gets them, names and values in turn. The gateway adds none of its own. No name
 * with `_` crosses: CGI and its heirs read `_` and `-` as the same, so it could pose as any other header.
 */
export function headersForApp(
  rawHeaders: readonly string[],
  head: RequestHead,
  { passesAuthorization, passes }: Passes,
): string[] {
  return keep(rawHeaders, (name) => {
    if (name === "host" || name === "content-length") return true;
    if (name === "authorization") return passesAuthorization && !head.connectionOptions.has(name);
    if (passes.includes(name)) return true;
    return !isReserved(name) && !head.connectionOptions.has(name);
  });
}

function isReserved(name: string): boolean {
  return name.includes("_") || notForApp.has(name) || reservedPrefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * `alt-svc` would send the caller to another endpoint, and only the gateway speaks for this one. `trailer` announces what
 * only a chunked answer has, and whether ours is chunked is not the application's to say.
 */
const notForClient = new Set([...hopByHop, "alt-svc", "trailer"]);

/** False where the application's answer is coded in any way but chunked: the gateway could not frame it anew. */
export function isPlainlyFramed(raw: readonly string[]): boolean {
  const codings = valuesOf(raw, "transfer-encoding");
  return codings.length === 0 || (codings.length === 1 && codings[0]?.toLowerCase() === "chunked");
}

/** The application's headers as the caller gets them. A 204 has no body, so it has no length either (RFC 9110, 8.6). */
export function headersForClient(status: number, raw: readonly string[]): string[] {
  const options = connectionOptionsOf(raw);
  const chunked = valuesOf(raw, "transfer-encoding").length > 0;
  return keep(raw, (name) => {
    if (name === "content-length") return !chunked && status !== 204;
    return !notForClient.has(name) && !options.has(name) && !name.startsWith("x-blindbox-");
  });
}

/** Fields that mean nothing, or too much, behind a body (RFC 9110, section 6.5.1). */
const notInTrailers = new Set([...notForClient, "content-length", "host", "set-cookie", "content-encoding"]);

/** The application's trailers as the caller gets them. */
export function trailersForClient(raw: readonly string[]): [string, string][] {
  const kept = keep(raw, (name) => !notInTrailers.has(name) && !name.startsWith("x-blindbox-"));
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < kept.length; at += 2) pairs.push([kept[at] ?? "", kept[at + 1] ?? ""]);
  return pairs;
}

function connectionOptionsOf(raw: readonly string[]): ReadonlySet<string> {
  return new Set(valuesOf(raw, "connection").flatMap(optionsOf));
}

/** The values of one header, a line each. */
export function valuesOf(raw: readonly string[], lowerCaseName: string): string[] {
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === lowerCaseName);
}

function keep(raw: readonly string[], wanted: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (wanted(name.toLowerCase())) kept.push(name, raw[at + 1] ?? "");
  }
  return kept;
}
