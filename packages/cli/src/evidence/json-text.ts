/** JSON in files that others made: read to see what it is, never to decide by it. */

/** The value of a text in UTF-8; `null` where it is none. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return null;
  }
}

/** Whether a value has members. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One line feed behind a document is a shell's or an editor's, and no part of it. */
export function withoutLineFeed(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

const byteOrderMark = [0xef, 0xbb, 0xbf] as const;
const whiteSpace: ReadonlySet<number | undefined> = new Set([0x09, 0x0a, 0x0d, 0x20]);

/** An object in JSON without what editors put around it: a byte order mark, white space. Other bytes as they are. */
export function jsonWithin(bytes: Uint8Array): Uint8Array {
  let from = byteOrderMark.every((byte, at) => bytes[at] === byte) ? byteOrderMark.length : 0;
  while (whiteSpace.has(bytes[from])) from += 1;
  if (bytes[from] !== 0x7b) return bytes;
  let to = bytes.length;
  while (whiteSpace.has(bytes[to - 1])) to -= 1;
  return bytes.subarray(from, to);
}
