import type { Credentials } from "../options/options.ts";

/** Takes the box's credential where `Authorization` is the application's own. The box removes it (DESIGN section 5). */
export const BOX_AUTHORIZATION = "x-blindbox-authorization";

/** Adds the box's credential to the headers of one request, which are about to go over an attested connection. */
export function addCredentials(headers: Headers, credentials: Credentials): void {
  if (!("apiKey" in credentials)) return;
  headers.set(headers.has("authorization") ? BOX_AUTHORIZATION : "authorization", `Bearer ${credentials.apiKey}`);
}

/** True for an `Authorization` that holds an API key of a box, whatever the case of its scheme. */
export function isApiKeyAuthorization(value: string): boolean {
  return /^bearer\s+bb_[A-Za-z0-9_-]{43}$/i.test(value);
}
