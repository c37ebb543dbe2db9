import { fromHex, toHex } from "./bytes/hex.ts";
import { EncodingError } from "./encoding-error.ts";

/** Hash functions of FIPS 180-4, by WebCrypto's names. */
export type DigestName = "SHA-256" | "SHA-384" | "SHA-512";

const sha256Length = 32;
const prefix = "sha256:";

/** The digest of `bytes`, by WebCrypto: 32, 48 or 64 bytes. */
export async function digest(name: DigestName, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(name, bytes));
}

/**
 * `sha256:` and 64 lower-case hexadecimal digits.
 *
 * @throws EncodingError for anything but 32 bytes.
 */
export function formatSha256(hash: Uint8Array): string {
  if (hash.length === sha256Length) return prefix + toHex(hash);
  throw new EncodingError("bad-encoding", "digest", `${sha256Length} bytes`, `${hash.length} bytes`);
}

/**
 * The 32 bytes of `sha256:<64 lower-case hexadecimal digits>`.
 *
 * @throws EncodingError for any other text.
 */
export function parseSha256(text: string, field: string = "digest"): Uint8Array {
  if (text.startsWith(prefix) && text.length === prefix.length + 2 * sha256Length) {
    return fromHex(text.slice(prefix.length), field);
  }
  throw new EncodingError("bad-encoding", field, "sha256: and 64 hexadecimal digits", "another form");
}
