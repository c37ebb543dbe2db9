/**
 * The request target (path and query) that `input` names on `origin`. A string is a path that starts with one `/`, or an
 * absolute URL; either must stay on the origin. A fragment is dropped, as it never leaves a client.
 *
 * @throws TypeError where the input would reach another origin (absolute, protocol-relative, or through `\`), or holds a
 * user name. The input is not repeated in the message: its path or query may be a secret.
 */
export function targetOn(origin: URL, input: string | URL): string {
  const url = parse(origin, input);
  if (url.origin !== origin.origin)
    throw new TypeError("path leads to another origin: a session only talks to its box");
  if (url.username !== "" || url.password !== "") throw new TypeError("path must not hold a user name or password");
  return url.pathname + url.search;
}

function parse(origin: URL, input: unknown): URL {
  if (typeof input !== "string" && !(input instanceof URL)) throw new TypeError("path must be a string or a URL");
  try {
    // Only what starts with / is relative: `https:evil.example` would be a path on some origins, a host on others.
    return typeof input === "string" && input.startsWith("/") ? new URL(input, origin) : new URL(input);
  } catch {
    throw new TypeError("path must start with /, or be a URL on the session's origin");
  }
}
