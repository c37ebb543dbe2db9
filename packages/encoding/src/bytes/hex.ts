import { EncodingError } from "../encoding-error.ts";

const notHex = 0xff;
const pairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const nibbles: Uint8Array = new Uint8Array(128)
  .fill(notHex)
  .map((none, code) => (code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : none));

/** Lower-case hexadecimal, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += pairs[byte] ?? "";
  return text;
}

/**
 * The bytes of lower-case hexadecimal, so that `toHex(fromHex(text)) === text`.
 *
 * @throws EncodingError for an odd length, upper case, spaces, or any other character.
 */
export function fromHex(text: string, field: string = "hex"): Uint8Array {
  if (text.length % 2 !== 0) {
    throw new EncodingError("bad-encoding", field, "an even number of hex digits", `${text.length} characters`);
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = (nibble(text, 2 * at, field) << 4) | nibble(text, 2 * at + 1, field);
  }
  return bytes;
}

function nibble(text: string, at: number, field: string): number {
  const value = nibbles[text.charCodeAt(at)] ?? notHex;
  if (value !== notHex) return value;
  throw new EncodingError("bad-encoding", field, "lower-case hex digits", `another character at ${at}`);
}
