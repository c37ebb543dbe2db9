/**
 * Writing tar archives. The bytes are measured, so their form is fixed here and not by the version of a library: ustar
 * headers, and a PAX header before those whose name, link target or size does not fit.
 */
import type { Metadata } from "./layer-entry.ts";

const blockBytes = 512;
/** Largest size that the 11 octal digits of a ustar header hold. */
const maxOctalSize = 0o77777777777;
const maxFieldBytes = 100;

/** One entry to write. Names have no leading slash and no trailing one. */
export type TarEntry = DirectoryEntry | LinkEntry | FileEntry;

interface DirectoryEntry {
  readonly kind: "directory";
  readonly name: string;
  readonly metadata: Metadata;
}

interface LinkEntry {
  readonly kind: "symlink" | "hard-link";
  readonly name: string;
  readonly metadata: Metadata;
  readonly target: string;
}

interface FileEntry {
  readonly kind: "file";
  readonly name: string;
  readonly metadata: Metadata;
  readonly size: number;
  /** Yields exactly `size` bytes. */
  readonly content: () => Iterable<Uint8Array>;
}

const typeFlags: Readonly<Record<TarEntry["kind"] | "pax", string>> = {
  file: "0",
  "hard-link": "1",
  symlink: "2",
  directory: "5",
  pax: "x",
};

interface HeaderFields {
  readonly name: string;
  readonly type: string;
  readonly metadata: Metadata;
  readonly size: number;
  readonly target: string;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, "0")}\0`;
}

/** Stands in for a name that is in the PAX header: for a reader that has no PAX, better a wrong name than a broken one. */
function shortAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "_").slice(0, maxFieldBytes);
}

function fits(text: string): boolean {
  return text.length <= maxFieldBytes && /^[\x20-\x7e]*$/.test(text);
}

function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(shortAscii(fields.name), 0, "ascii");
  block.write(octal(fields.metadata.mode, 7), 100, "ascii");
  block.write(octal(fields.metadata.uid, 7), 108, "ascii");
  block.write(octal(fields.metadata.gid, 7), 116, "ascii");
  block.write(octal(Math.min(fields.size, maxOctalSize), 11), 124, "ascii");
  block.write(octal(fields.metadata.mtime, 11), 136, "ascii");
  block.write(" ".repeat(8), 148, "ascii");
  block.write(fields.type, 156, "ascii");
  block.write(shortAscii(fields.target), 157, "ascii");
  block.write("ustar\u000000", 257, "ascii");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)} `, 148, "ascii");
  return block;
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself (POSIX pax, extended header records). */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (rest + `${length}`.length !== length) length = rest + `${length}`.length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function paxHeader(name: string, target: string, size: number): Buffer {
  const records: Buffer[] = [];
  if (!fits(name)) records.push(paxRecord("path", name));
  if (!fits(target)) records.push(paxRecord("linkpath", target));
  if (size > maxOctalSize) records.push(paxRecord("size", `${size}`));
  if (records.length === 0) return Buffer.alloc(0);
  const body = Buffer.concat(records);
  const metadata: Metadata = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  const fields = { name: "PaxHeader", type: typeFlags.pax, metadata, size: body.length, target: "" };
  return Buffer.concat([header(fields), body, padding(body.length)]);
}

function* content(entry: FileEntry): Generator<Uint8Array> {
  let written = 0;
  for (const chunk of entry.content()) {
    written += chunk.length;
    yield chunk;
  }
  if (written !== entry.size) throw new RangeError(`tar entry: expected ${entry.size} bytes, found ${written}`);
  yield padding(entry.size);
}

/** The bytes of an archive with these entries, in this order. Throws a RangeError when a content is not of its size. */
export function* writeTar(entries: Iterable<TarEntry>): Generator<Uint8Array> {
  for (const entry of entries) {
    const name = entry.kind === "directory" ? `${entry.name}/` : entry.name;
    const target = "target" in entry ? entry.target : "";
    const size = entry.kind === "file" ? entry.size : 0;
    yield paxHeader(name, target, size);
    yield header({ name, type: typeFlags[entry.kind], metadata: entry.metadata, size, target });
    if (entry.kind === "file") yield* content(entry);
  }
  yield Buffer.alloc(2 * blockBytes);
}
