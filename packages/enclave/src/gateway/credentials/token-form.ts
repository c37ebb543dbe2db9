/** JWTs in compact form (RFC 7515, section 7.1; RFC 7519): text to parts, strictly; nothing is believed here. */
import { EncodingError, fromBase64url, fromUtf8 } from "@blindbox/encoding";
import { parseTokenJson } from "./token-json.ts";

/** What a token says of itself. */
export interface TokenForm {
  readonly algorithm: string;
  /** Chooses among the issuer's keys that are known anyway, and nothing else. */
  readonly keyId: string | null;
  readonly issuer: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Tokens of common providers with many groups take 4 KiB; all headers together have 16 KiB. */
const maxToken = 8192;

/**
 * Members that a header may have. What would bring a key along, point at one, or change what the signature covers is not
 * among them (`jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`, `zip`): a token with it is refused rather than read without it.
 */
const headerMembers = new Set(["alg", "typ", "kid", "x5t", "x5t#S256"]);
const types = new Set(["jwt", "at+jwt", "application/at+jwt"]);

/** Reads the parts; null for whatever is no signed token of this strict form. */
export function readTokenForm(token: string): TokenForm | null {
  if (token.length > maxToken) return null;
  const parts = token.split(".");
  if (parts.length !== 3 || parts.some((part) => part === "")) return null;
  const [header, claims] = parts.slice(0, 2).map(readObject);
  if (header === null || header === undefined || claims === null || claims === undefined) return null;
  const { alg, kid = null, typ = "JWT" } = header;
  if (!Object.keys(header).every((name) => headerMembers.has(name))) return null;
  if (typeof alg !== "string" || typeof typ !== "string" || !types.has(typ.toLowerCase())) return null;
  if (kid !== null && typeof kid !== "string") return null;
  const { iss } = claims;
  return typeof iss === "string" ? { algorithm: alg, keyId: kid, issuer: iss, claims } : null;
}

function readObject(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = parseTokenJson(fromUtf8(fromBase64url(part)));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : null;
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}
