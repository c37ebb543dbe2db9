import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ImageFiles, StoredFile } from "./image-files.ts";

const chunkBytes = 1 << 20;

/** A regular file of any name; null where there is none. */
export async function storedFile(path: string): Promise<StoredFile | null> {
  const facts = await stat(path).catch(() => null);
  if (facts === null || !facts.isFile()) return null;
  const read = (start = 0, end = facts.size): AsyncIterable<Uint8Array> =>
    end <= start ? emptyBytes() : createReadStream(path, { start, end: end - 1, highWaterMark: chunkBytes });
  return { size: facts.size, read };
}

async function* emptyBytes(): AsyncGenerator<Uint8Array> {}

/** The files of an OCI layout directory. Names come from digests and constants only, so none leads out of it. */
export function openDirectory(directory: string): ImageFiles {
  return {
    kind: "directory",
    find: (name) => storedFile(join(directory, name)),
    close: () => Promise.resolve(),
  };
}
