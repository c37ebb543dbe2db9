import { MAX_TARGET_LENGTH } from "./limits.ts";

/** A request target in origin form (RFC 9112, section 3.2.1) that has one reading only. */
export interface Target {
  /** The path as it was sent, escapes and all: what goes on to the application. */
  readonly path: string;
  /** The path with its escapes decoded: what rules are compared with. */
  readonly plainPath: string;
  /** What follows the first `?`, as it was sent; empty where there is none. */
  readonly query: string;
}

// Visible ASCII that begins with a slash, without `#` and backslash.
const ORIGIN_FORM = /^\/[!-"$-[\]-~]*$/;

const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

const AMBIGUOUS_PATH = /;|\/\/|\/\.\.?(?:\/|$)/;

// `%25` before two hex digits: decoding twice would read another path than decoding once.
const DOUBLE_ESCAPE = /%25[0-9A-Fa-f]{2}/;

// Escapes of control characters, of what needs none (letters, digits, `-._~`), and of what would move a boundary.
const NEEDLESS_OR_BOUNDARY = /^[\u0000-\u001f\u007fA-Za-z0-9\-._~/\\;]$/u;

/**
 * The one reading of a request target (DESIGN section 4). Answers null for every target on which two honest servers might
 * disagree: not in origin form, longer than 8192 characters, anything but visible ASCII, a fragment, a backslash, a broken
 * escape, `%00`; and in its path `;`, `//`, dot segments, escapes of these, of control characters or of characters that
 * need none (`%41`), double escapes (`%252e`) and bytes that are not UTF-8. The query takes part in no rule, so only the
 * former apply to it.
 *
 * @example
 * readTarget("/v1/a%20b?x=1"); // { path: "/v1/a%20b", plainPath: "/v1/a b", query: "x=1" }
 * readTarget("/v1/%2e%2e/admin"); // null
 */
export function readTarget(target: string): Target | null {
  if (target.length > MAX_TARGET_LENGTH || !ORIGIN_FORM.test(target)) return null;
  if (BROKEN_ESCAPE.test(target) || target.includes("%00")) return null;
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const plainPath = decodePath(path);
  return plainPath === null ? null : { path, plainPath, query: mark === -1 ? "" : target.slice(mark + 1) };
}

function decodePath(path: string): string | null {
  if (AMBIGUOUS_PATH.test(path) || DOUBLE_ESCAPE.test(path)) return null;
  const escapes = path.match(/%../g) ?? [];
  if (escapes.some((escape) => NEEDLESS_OR_BOUNDARY.test(String.fromCharCode(Number.parseInt(escape.slice(1), 16))))) {
    return null;
  }
  try {
    return decodeURIComponent(path);
  } catch {
    // Not UTF-8: an overlong slash, say.
    return null;
  }
}
