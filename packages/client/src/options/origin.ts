import { wrong } from "./members.ts";

/**
 * The origin of a box: an `https` URL with nothing but host and port, so that it is plain what a path is relative to.
 *
 * @throws TypeError for any other URL. The text of the URL is not repeated: it may hold a password.
 */
export function readOrigin(url: unknown): URL {
  if (typeof url !== "string" && !(url instanceof URL)) throw wrong("url", "a string or a URL");
  const origin = parseUrl(url);
  if (origin.protocol !== "https:") throw wrong("url", "an https URL");
  if (origin.username !== "" || origin.password !== "") throw wrong("url", "a URL without user name and password");
  if (origin.pathname !== "/" || origin.search !== "" || origin.hash !== "") {
    throw wrong("url", "an origin without path, query and fragment");
  }
  return origin;
}

function parseUrl(url: string | URL): URL {
  try {
    return new URL(url);
  } catch {
    throw wrong("url", "a well-formed absolute URL");
  }
}
