/**
 * Names of request headers by which common servers, frameworks and proxies take another host, path or method than those of
 * the request itself. Such lists cannot be complete: a server may obey any header it likes. So they take the well-known
 * ways past a rule, and no more; who must be sure needs a host that obeys none. Lower case, `-` for `_`: CGI and its heirs
 * read the two as the same.
 */

/** These name the host. */
export const hostOverrides: ReadonlySet<string> = new Set([
  "forwarded",
  "forwarded-host",
  "host-override",
  "proxy-host",
  "proxy-url",
  "request-host",
  "x-backend-host",
  "x-envoy-original-dst-host",
  "x-envoy-original-host",
  "x-forwarded-authority",
  "x-forwarded-host",
  "x-forwarded-server",
  "x-host",
  "x-host-name",
  "x-host-override",
  "x-http-host",
  "x-http-host-override",
  "x-original-authority",
  "x-original-host",
  "x-override-host",
  "x-proxy-host",
  "x-proxy-url",
  "x-real-host",
  "x-rewrite-host",
]);

/** These name the path or the method (`destination` is WebDAV's second path). */
export const pathAndMethodOverrides: ReadonlySet<string> = new Set([
  "destination",
  "http-method-override",
  "method-override",
  "path-info",
  "request-uri",
  "script-name",
  "x-envoy-original-method",
  "x-envoy-original-path",
  "x-forwarded-method",
  "x-forwarded-path",
  "x-forwarded-prefix",
  "x-forwarded-script-name",
  "x-forwarded-uri",
  "x-forwarded-url",
  "x-http-destinationurl",
  "x-http-method",
  "x-http-method-override",
  "x-http-methodoverride",
  "x-http-path",
  "x-http-path-override",
  "x-http-url-override",
  "x-method",
  "x-method-override",
  "x-methodoverride",
  "x-original-method",
  "x-original-path",
  "x-original-request-uri",
  "x-original-uri",
  "x-original-url",
  "x-override-method",
  "x-override-path",
  "x-override-uri",
  "x-override-url",
  "x-path",
  "x-request-method",
  "x-request-path",
  "x-request-uri",
  "x-request-url",
  "x-rewrite-path",
  "x-rewrite-uri",
  "x-rewrite-url",
  "x-script-name",
  "x-uri",
  "x-url",
]);

/** A header's name as the lists have it. */
export function overrideName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
