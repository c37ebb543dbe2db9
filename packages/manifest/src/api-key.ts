import { digest, formatSha256, utf8 } from "@blindbox/encoding";

/** True for `bb_` and 43 base64url characters, which hold 256 bits (DESIGN section 5, Credentials). */
export function isApiKey(text: string): boolean {
  return /^bb_[A-Za-z0-9_-]{43}$/.test(text);
}

/** What a Manifest knows of an API key: `sha256:<hex>` of the whole ASCII key. Throws TypeError for what is no API key. */
export async function apiKeyDigest(key: string): Promise<string> {
  if (!isApiKey(key)) throw new TypeError("an API key is bb_ and 43 base64url characters");
  return formatSha256(await digest("SHA-256", utf8(key)));
}
