/** Which credentials a request's headers carry (DESIGN section 5, Credentials), before any of them is verified. */
import { hash } from "node:crypto";
import { isApiKey } from "@blindbox/manifest";
import type { RequestHead } from "../head.ts";

/** What a caller presented in its headers. */
export interface Presented {
  /** `sha256:<hex>` of the API key, or null where none was presented. */
  readonly apiKey: string | null;
  /** A JWT, as it came; null where none was presented. */
  readonly token: string | null;
  /** True where `Authorization` is not ours, and so goes on to the application. */
  readonly passesAuthorization: boolean;
}

/** Why what a caller presented is no credential. */
export type PresentedFault = "unauthenticated" | "repeated-credential";

/** A key and a token are all that one request can need. */
const maxCredentials = 2;

/**
 * Reads the credentials, which are in `x-blindbox-authorization` (a list of `Bearer …`, each kind at most once) or else, one
 * of them, in `Authorization`. An `Authorization` that holds neither an API key nor, where the Manifest names tokens, a JWT
 * is the application's own. A key that stands in both is `repeated-credential`: the application must never see one.
 * Anything else that is meant for us and cannot be one is `unauthenticated`.
 */
export function readPresented(
  { authorization, boxAuthorization }: RequestHead,
  takesTokens: boolean,
): Presented | PresentedFault {
  const [ours] = boxAuthorization;
  const [shared = ""] = authorization;
  if (ours !== undefined) return holdsKey(shared) ? "repeated-credential" : present(ours.split(","), true);
  if (holdsKey(shared) || (takesTokens && holdsToken(shared))) return present([shared], false);
  return { apiKey: null, token: null, passesAuthorization: true };
}

// Wider than what is accepted: a key that was mistyped, or sent with another scheme, must not reach the application.
function holdsKey(value: string): boolean {
  return /^bearer\s+bb_/i.test(value) || /bb_[A-Za-z0-9_-]{43}/.test(value);
}

/**
 * A header of a JWT (which begins with `{"`, so with `eyJ`) and what may be its payload, wherever they stand: a token that
 * was sent in a slightly wrong form must not reach the application either. Its signature may be missing (`alg` none).
 */
function holdsToken(value: string): boolean {
  return /eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\./.test(value) || /^bearer\s+[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\./i.test(value);
}

function present(values: readonly string[], passesAuthorization: boolean): Presented | PresentedFault {
  if (values.length > maxCredentials) return "repeated-credential";
  let apiKey: string | null = null;
  let token: string | null = null;
  for (const value of values) {
    const credential = /^\s*bearer (\S+)\s*$/i.exec(value)?.[1] ?? "";
    const isKey = isApiKey(credential);
    if (!isKey && !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(credential)) return "unauthenticated";
    if ((isKey ? apiKey : token) !== null) return "repeated-credential";
    if (isKey) apiKey = `sha256:${hash("sha256", credential, "hex")}`;
    else token = credential;
  }
  return { apiKey, token, passesAuthorization };
}
