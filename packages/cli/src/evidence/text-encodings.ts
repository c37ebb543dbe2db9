/** Bytes that came as text: hex, base64, base64url or a block of PEM, with the white space that tools put between. */

/** What a text may be read as. */
export type TextEncoding = "hex" | "base64" | "base64url" | "PEM";

/** One reading of a text. A text of few characters can have several. */
export interface Reading {
  readonly encoding: TextEncoding;
  readonly bytes: Uint8Array;
}

/** Every way in which `bytes` can be text for other bytes; none where they are no text. Their content is not looked at. */
export function readingsOf(bytes: Uint8Array): readonly Reading[] {
  if (!isText(bytes)) return [];
  const text = Buffer.from(bytes).toString("latin1");
  const pem = /^\s*-----BEGIN ([A-Z0-9 ]{1,64})-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*$/.exec(text);
  if (pem !== null) return base64("PEM", (pem[2] ?? "").replace(/\s+/g, ""));
  const packed = text.replace(/\s+/g, "");
  return [...hex(packed), ...base64("base64", packed), ...base64("base64url", packed)];
}

/** Whether all of it is ASCII that shows, or white space. */
export function isText(bytes: Uint8Array): boolean {
  const shows = (byte: number): boolean =>
    byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte < 0x7f);
  return bytes.length > 0 && bytes.every(shows);
}

function hex(text: string): readonly Reading[] {
  const digits = text.replace(/^0x/i, "");
  if (digits.length < 2 || digits.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(digits)) return [];
  return [{ encoding: "hex", bytes: new Uint8Array(Buffer.from(digits, "hex")) }];
}

const alphabets = {
  base64: /^[A-Za-z0-9+/]+={0,2}$/,
  PEM: /^[A-Za-z0-9+/]+={0,2}$/,
  base64url: /^[A-Za-z0-9_-]+={0,2}$/,
} as const;

function base64(encoding: "base64" | "base64url" | "PEM", text: string): readonly Reading[] {
  if (!alphabets[encoding].test(text)) return [];
  return [{ encoding, bytes: new Uint8Array(Buffer.from(text, encoding === "PEM" ? "base64" : encoding)) }];
}
