/** Which headers cross. All others cross byte for byte, in order, repeated lines repeated. */
import type { RequestRules } from "@blindbox/manifest";
import { hostOverrides, overrideName, pathAndMethodOverrides } from "../../../overrides.ts";
import { connectionOptions, valuesOf } from "./head.ts";

/** For one connection only (RFC 9110, section 7.6.1); `proxy-authorization` is for a proxy, and we are none. */
const hopByHop = [
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** The box answers `Expect` itself, and writes `Host` itself. */
const notForHost = new Set([...hopByHop, "expect", "host"]);

/** `alt-svc` names another endpoint, which the application could not reach. */
const notForApp = new Set([...hopByHop, "alt-svc"]);

/** The application's headers as the host gets them, names and values in turn. */
export function headersForHost(raw: readonly string[], host: string): string[] {
  const options = connectionOptions(raw);
  const kept = keep(raw, (name) => !notForHost.has(name) && (name === "content-length" || !options.has(name)));
  return ["host", host, ...kept];
}

/** The host's headers as the application gets them. A 204 has no body, so it has no length either (RFC 9110, 8.6). */
export function headersForApp(status: number, raw: readonly string[]): string[] {
  const options = connectionOptions(raw);
  const chunked = valuesOf(raw, "transfer-encoding").length > 0;
  return keep(raw, (name) => {
    if (name === "content-length") return !chunked && status !== 204;
    return !notForApp.has(name) && !options.has(name);
  });
}

/** How an answer says where its body ends; `none` where it has no body whatever its headers say (RFC 9112, section 6.3). */
export type AnswerFraming = "none" | "length" | "chunked" | "close" | "unknown";

/** `unknown` where the answer is coded in any way but chunked: it could not be framed anew. */
export function framingOf(method: string, status: number, raw: readonly string[]): AnswerFraming {
  const codings = valuesOf(raw, "transfer-encoding");
  if (codings.length > 1 || (codings.length === 1 && codings[0]?.toLowerCase() !== "chunked")) return "unknown";
  if (method === "HEAD" || status === 204 || status === 304) return "none";
  if (codings.length === 1) return "chunked";
  return valuesOf(raw, "content-length").length === 0 ? "close" : "length";
}

/**
 * Does a header ask the host to act for another host, or to take another method or path, than the rules saw? One that
 * names a host never crosses. One that names a method or path does where the rule allows everything: then there is nothing
 * to get around. (Rules that overlap differ in methods and paths, and the first of them is looked at: if it restricts
 * either, none of these headers crosses.)
 */
export function overridesRule(raw: readonly string[], { methods, paths }: RequestRules): boolean {
  const allowsAll = methods === "any" && paths === "any";
  return raw.some((text, at) => {
    if (at % 2 === 1) return false;
    const name = overrideName(text);
    return hostOverrides.has(name) || (!allowsAll && pathAndMethodOverrides.has(name));
  });
}

function keep(raw: readonly string[], wanted: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (wanted(name.toLowerCase())) kept.push(name, raw[at + 1] ?? "");
  }
  return kept;
}
