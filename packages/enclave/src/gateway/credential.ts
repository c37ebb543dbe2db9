/** The credential of a request (DESIGN section 5, Credentials). */
import { hash } from "node:crypto";
import { isApiKey } from "@blindbox/manifest";
import type { RequestHead } from "./head.ts";

/** What a caller presented. */
export interface Credential {
  /** `sha256:<hex>` of the API key, or null where none was presented. */
  readonly apiKeyDigest: string | null;
  /** True where `Authorization` is not ours, and so goes on to the application. */
  readonly passesAuthorization: boolean;
}

/** Why what a caller presented is no credential. */
export type CredentialFault = "unauthenticated" | "repeated-credential";

/**
 * Reads the credential, which is in `x-blindbox-authorization` or else in `Authorization`. An `Authorization` that holds
 * no API key is the application's own. One key in each of them is `repeated-credential`: the application must never see
 * either. Anything else that is meant for us and is not `Bearer bb_…` is `unauthenticated`.
 */
export function readCredential({ authorization, boxAuthorization }: RequestHead): Credential | CredentialFault {
  const [ours] = boxAuthorization;
  const [shared] = authorization;
  const isShared = shared !== undefined && looksLikeOurs(shared);
  if (ours !== undefined) return isShared ? "repeated-credential" : present(ours, true);
  return isShared ? present(shared, false) : { apiKeyDigest: null, passesAuthorization: true };
}

// Wider than what is accepted: a key that was mistyped, or sent with another scheme, must not reach the application.
function looksLikeOurs(value: string): boolean {
  return /^bearer\s+bb_/i.test(value) || /bb_[A-Za-z0-9_-]{43}/.test(value);
}

function present(value: string, passesAuthorization: boolean): Credential | CredentialFault {
  const key = /^bearer (\S+)$/i.exec(value)?.[1];
  if (key === undefined || !isApiKey(key)) return "unauthenticated";
  return { apiKeyDigest: `sha256:${hash("sha256", key, "hex")}`, passesAuthorization };
}
