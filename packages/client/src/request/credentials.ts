import type { CheckedCredentials } from "../options/credentials.ts";
import { createTokenCache } from "./token-cache.ts";

/** Holds credentials for the box alone, which removes it whatever its Manifest says (DESIGN section 5). */
export const BOX_AUTHORIZATION = "x-blindbox-authorization";

/** Adds the credentials to the headers of one request, which are about to go over an attested connection. */
export type AddCredentials = (headers: Headers) => Promise<void>;

/**
 * A key alone goes where every HTTP client puts one. A token never does: a box whose Manifest names no tokens takes an
 * `Authorization` with one for its application's own, and would hand it over.
 */
export function createCredentials({ apiKey, token }: CheckedCredentials, now: () => Date): AddCredentials {
  const tokens = token === null ? null : createTokenCache(token, now);
  return async (headers) => {
    const isOurs = tokens !== null || headers.has("authorization");
    const values = [...(apiKey === null ? [] : [apiKey]), ...(tokens === null ? [] : [await tokens()])];
    if (values.length === 0) return;
    const bearers = values.map((value) => `Bearer ${value}`).join(", ");
    headers.set(isOurs ? BOX_AUTHORIZATION : "authorization", bearers);
  };
}

/** True for an `Authorization` that holds an API key of a box, whatever the case of its scheme. */
export function isApiKeyAuthorization(value: string): boolean {
  return /^bearer\s+bb_[A-Za-z0-9_-]{43}$/i.test(value);
}
