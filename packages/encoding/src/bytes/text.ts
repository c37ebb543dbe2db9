import { EncodingError } from "../encoding-error.ts";

const loneSurrogate = /\p{Surrogate}/u;

/** Whether the text holds half of a surrogate pair, which no UTF-8 can carry. */
export function hasLoneSurrogate(text: string): boolean {
  return loneSurrogate.test(text);
}

/**
 * The UTF-8 bytes of a text.
 *
 * @throws EncodingError for a lone surrogate, which would become U+FFFD, so that two texts would have the same bytes.
 */
export function utf8(text: string): Uint8Array {
  if (!hasLoneSurrogate(text)) return new TextEncoder().encode(text);
  throw new EncodingError("bad-encoding", "text", "Unicode", "a lone surrogate");
}

/**
 * The text of UTF-8 bytes, so that `utf8(fromUtf8(bytes))` gives the same bytes.
 *
 * @throws EncodingError for bytes that are not UTF-8, and for a byte order mark at the start.
 */
export function fromUtf8(bytes: Uint8Array, field: string = "text"): string {
  const text = decode(bytes, field);
  if (!text.startsWith("\uFEFF")) return text;
  throw new EncodingError("bad-encoding", field, "no byte order mark", "a byte order mark");
}

function decode(bytes: Uint8Array, field: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new EncodingError("bad-encoding", field, "UTF-8", "other bytes");
  }
}
