/** The caller's own JWT: its form, and how long it can still be sent. Nothing of it is verified here: the box does that. */
import { EncodingError, fromBase64url, fromUtf8 } from "@blindbox/encoding";

/** Most characters that a box reads. */
const maxToken = 8192;

/** True for three parts of base64url, none of them empty, as a box takes them. */
export function isToken(text: string): boolean {
  return text.length <= maxToken && /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(text);
}

/** `exp`, in seconds since 1970; null where the token says none that is an integer. */
export function expiryOf(token: string): number | null {
  try {
    const claims = JSON.parse(fromUtf8(fromBase64url(token.split(".")[1] ?? ""))) as unknown;
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : null;
    return typeof exp === "number" && Number.isSafeInteger(exp) ? exp : null;
  } catch (error) {
    if (error instanceof EncodingError || error instanceof SyntaxError) return null;
    throw error;
  }
}
