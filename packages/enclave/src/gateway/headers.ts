/** Which headers cross the gateway. Everything else crosses byte for byte, in order, repeated lines repeated. */
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
 * Also kept from the application. A caller could claim with them what only a gateway may say of it, or have the
 * application take another method or path than the one that the access rules saw. `trailer`: trailers of requests are
 * not passed on.
 */
const claims = [
  "expect",
  "forwarded",
  "http2-settings",
  "trailer",
  "via",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-method",
  "x-original-uri",
  "x-original-url",
  "x-real-ip",
  "x-rewrite-uri",
  "x-rewrite-url",
];

const notForApp = new Set([...hopByHop, ...claims]);
const reservedPrefixes = ["x-blindbox-", "x-forwarded-"];

/** The caller's headers as the application gets them, names and values in turn. The gateway adds none of its own. */
export function headersForApp(
  rawHeaders: readonly string[],
  head: RequestHead,
  passesAuthorization: boolean,
): string[] {
  return keep(rawHeaders, (name) => {
    if (name === "host" || name === "content-length") return true;
    if (name === "authorization") return passesAuthorization && !head.connectionOptions.has(name);
    return !isReserved(name) && !head.connectionOptions.has(name);
  });
}

// CGI and its heirs read `_` and `-` in a name as the same.
function isReserved(name: string): boolean {
  const plain = name.includes("_") ? name.replaceAll("_", "-") : name;
  return notForApp.has(plain) || reservedPrefixes.some((prefix) => plain.startsWith(prefix));
}

/** `alt-svc` would send the caller to another endpoint, and only the gateway speaks for this one. */
const notForClient = new Set([...hopByHop, "alt-svc"]);

/** The application's headers as the caller gets them. */
export function headersForClient(raw: readonly string[]): string[] {
  const options = connectionOptionsOf(raw);
  const chunked = raw.some((name, at) => at % 2 === 0 && name.toLowerCase() === "transfer-encoding");
  return keep(raw, (name) => {
    if (name === "content-length") return !chunked;
    return !notForClient.has(name) && !options.has(name) && !name.startsWith("x-blindbox-");
  });
}

/** Fields that mean nothing, or too much, behind a body (RFC 9110, section 6.5.1). */
const notInTrailers = new Set([...notForClient, "content-length", "host", "trailer", "set-cookie", "content-encoding"]);

/** The application's trailers as the caller gets them. */
export function trailersForClient(raw: readonly string[]): [string, string][] {
  const kept = keep(raw, (name) => !notInTrailers.has(name) && !name.startsWith("x-blindbox-"));
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < kept.length; at += 2) pairs.push([kept[at] ?? "", kept[at + 1] ?? ""]);
  return pairs;
}

function connectionOptionsOf(raw: readonly string[]): ReadonlySet<string> {
  const values = raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === "connection");
  return new Set(values.flatMap(optionsOf));
}

function keep(raw: readonly string[], wanted: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (wanted(name.toLowerCase())) kept.push(name, raw[at + 1] ?? "");
  }
  return kept;
}
