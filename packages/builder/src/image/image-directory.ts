import { createReadStream, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { faultCode, fileFault, imagePlace } from "../file-fault.ts";
import type { ImageFiles, StoredFile } from "./image-files.ts";

const chunkBytes = 1 << 20;

/** What stands at a path; null where nothing does. Throws a BuildError where the file system does not let us look. */
export async function factsAt(path: string, field: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", null].includes(faultCode(error))) return null;
    throw fileFault(imagePlace(field), error);
  }
}

/** A regular file of any name; null where there is none. `field` is its name in errors. */
export async function storedFile(path: string, field: string): Promise<StoredFile | null> {
  const facts = await factsAt(path, field);
  if (facts === null || !facts.isFile()) return null;
  const read = (start = 0, end = facts.size): AsyncIterable<Uint8Array> => readBetween(path, start, end, field);
  return { size: facts.size, read };
}

async function* readBetween(path: string, start: number, end: number, field: string): AsyncGenerator<Uint8Array> {
  if (end <= start) return;
  try {
    const range = { start, end: end - 1, highWaterMark: chunkBytes };
    yield* createReadStream(path, range) as AsyncIterable<Buffer>;
  } catch (error) {
    throw fileFault(imagePlace(field), error);
  }
}

/** The files of an OCI layout directory. Names come from digests and constants only, so none leads out of it. */
export function openDirectory(directory: string): ImageFiles {
  return {
    kind: "directory",
    find: (name) => storedFile(join(directory, name), name),
    close: () => Promise.resolve(),
  };
}
