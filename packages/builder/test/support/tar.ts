/** Layers made by an independent writer (tar-stream), and reading archives back with it. */
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header, pack } from "tar-stream";

/** One entry of a layer; what is left out is a root-owned plain file of mode 0644 and time 0. */
export interface Entry extends Omit<Partial<Header>, "mtime" | "size" | "pax"> {
  readonly name: string;
  readonly body?: string | Uint8Array;
  readonly time?: number;
  readonly pax?: Readonly<Record<string, string>>;
}

export const file = (name: string, body: string | Uint8Array = name, more: Partial<Entry> = {}): Entry => ({
  name,
  body,
  ...more,
});
export const directory = (name: string, more: Partial<Entry> = {}): Entry => ({
  name,
  type: "directory",
  mode: 0o755,
  ...more,
});
export const symlink = (name: string, linkname: string, more: Partial<Entry> = {}): Entry => ({
  name,
  type: "symlink",
  linkname,
  mode: 0o777,
  ...more,
});
export const hardLink = (name: string, linkname: string): Entry => ({ name, type: "link", linkname });
export const whiteout = (name: string): Entry => file(name, "");

function headerOf(entry: Entry): Partial<Header> & { name: string } {
  const { body: _body, time = 0, ...rest } = entry;
  const own = { type: "file", mode: 0o644, uid: 0, gid: 0 } as const;
  return { ...own, ...rest, mtime: new Date(time * 1000) };
}

/** The bytes of a tar archive. */
export async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const packed = pack();
  for (const entry of entries) {
    const header = headerOf(entry);
    const hasBody = header.type === "file" || header.type === "contiguous-file";
    if (hasBody) packed.entry(header, Buffer.from(entry.body ?? ""));
    else packed.entry(header);
  }
  packed.finalize();
  return buffer(packed);
}

/** What tar-stream reads in an archive. */
export interface ReadEntry {
  readonly header: Header;
  readonly body: Buffer;
}

export async function untar(bytes: Uint8Array): Promise<readonly ReadEntry[]> {
  const entries: ReadEntry[] = [];
  const parser = extract();
  const take = async (header: Header, body: AsyncIterable<Uint8Array>, next: () => void): Promise<void> => {
    entries.push({ header, body: await buffer(body) });
    next();
  };
  parser.on("entry", (header, body, next) => void take(header, body as AsyncIterable<Uint8Array>, next));
  await pipeline(Readable.from([bytes]), parser);
  return entries;
}

/** One 512-byte header with the checksum put right, for archives that no writer would make. */
export function patched(header: Uint8Array, edits: readonly (readonly [offset: number, text: string])[]): Buffer {
  const block = Buffer.from(header);
  for (const [offset, text] of edits) block.write(text, offset, "latin1");
  block.write(" ".repeat(8), 148, "latin1");
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
