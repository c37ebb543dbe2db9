import { toBase64url } from "@blindbox/encoding";
import { writeNewFile } from "./files.ts";

/** 32 random bytes, so that the hash in the Manifest, which everybody sees, gives nothing away. */
export function newApiKey(): string {
  return `bb_${toBase64url(crypto.getRandomValues(new Uint8Array(32)))}`;
}

/** Writes a key into a new file that only its owner can read. */
export function writeKeyFile(file: string, key: string): Promise<void> {
  return writeNewFile(file, `${key}\n`, 0o600);
}
