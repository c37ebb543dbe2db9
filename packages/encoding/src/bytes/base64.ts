/** Base64 and base64url of RFC 4648, sections 4 and 5: one text for each byte string, and no other is read. */
import { EncodingError } from "../encoding-error.ts";

interface Alphabet {
  readonly name: string;
  readonly codes: Uint8Array;
  readonly values: Uint8Array;
}

const notInAlphabet = 0xff;
const padding = "=";

function alphabet(name: string, lastTwo: string): Alphabet {
  const digits = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${lastTwo}`;
  const codes = new TextEncoder().encode(digits);
  const values = new Uint8Array(128).fill(notInAlphabet);
  codes.forEach((code, value) => {
    values[code] = value;
  });
  return { name, codes, values };
}

const standard = alphabet("base64", "+/");
const urlSafe = alphabet("base64url", "-_");

/** Base64url without padding. */
export function toBase64url(bytes: Uint8Array): string {
  return encode(bytes, urlSafe);
}

/**
 * The bytes of base64url without padding, so that `toBase64url(fromBase64url(text)) === text`.
 *
 * @throws EncodingError for padding, white space, another alphabet, or spare bits that are set.
 */
export function fromBase64url(text: string, field: string = "base64url"): Uint8Array {
  return decode(text, text.length, urlSafe, field);
}

/** Base64 with padding, in one line. */
export function toBase64(bytes: Uint8Array): string {
  const digits = encode(bytes, standard);
  return digits.padEnd(Math.ceil(digits.length / 4) * 4, padding);
}

/**
 * The bytes of padded base64, so that `toBase64(fromBase64(text)) === text`.
 *
 * @throws EncodingError for missing or needless padding, white space, another alphabet, or spare bits that are set.
 */
export function fromBase64(text: string, field: string = "base64"): Uint8Array {
  if (text.length % 4 !== 0) {
    throw new EncodingError("bad-encoding", field, "padded base64", `${text.length} characters`);
  }
  const pads = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return decode(text, text.length - pads, standard, field);
}

function encode(bytes: Uint8Array, { codes }: Alphabet): string {
  const digits = new Uint8Array(Math.ceil((bytes.length * 8) / 6));
  let held = 0;
  let bits = 0;
  let end = 0;
  for (const byte of bytes) {
    held = ((held & 0x3f) << 8) | byte;
    for (bits += 8; bits >= 6; end += 1) {
      bits -= 6;
      digits[end] = codes[(held >> bits) & 0x3f] ?? 0;
    }
  }
  if (bits > 0) digits[end] = codes[(held << (6 - bits)) & 0x3f] ?? 0;
  return new TextDecoder().decode(digits);
}

function decode(text: string, length: number, { name, values }: Alphabet, field: string): Uint8Array {
  if (length % 4 === 1) throw new EncodingError("bad-encoding", field, name, `${length} characters`);
  const bytes = new Uint8Array(Math.floor((length * 6) / 8));
  let held = 0;
  let bits = 0;
  let end = 0;
  for (let at = 0; at < length; at += 1) {
    const value = values[text.charCodeAt(at)] ?? notInAlphabet;
    if (value === notInAlphabet) throw new EncodingError("bad-encoding", field, name, `another character at ${at}`);
    held = ((held & 0xff) << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[end] = held >> bits;
    end += 1;
  }
  if ((held & ((1 << bits) - 1)) === 0) return bytes;
  throw new EncodingError("bad-encoding", field, "spare bits of zero", "spare bits that are set");
}
