import { open, type FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { BuildError, quoted } from "../build-error.ts";
import { imagePlace, onFiles } from "../file-fault.ts";
import type { ImageLimits } from "../limits.ts";
import { readTar, type TarHeader } from "../tar/read-tar.ts";
import type { ImageFiles, StoredFile } from "./image-files.ts";

const chunkBytes = 1 << 20;

/** Old archives of Docker hold three files a layer; OCI archives may hold several images. */
const maxArchiveEntries = 20_000;

/** `docker save` wrote a layer that several images share once, and symlinks to it. */
const maxArchiveLinks = 4;

interface ArchiveIndex {
  readonly files: Map<string, { readonly offset: number; readonly size: number }>;
  readonly links: Map<string, string>;
}

async function* readRange(archive: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, end - at));
    const { bytesRead } = await onFiles(imagePlace("archive"), () => archive.read(chunk, 0, chunk.length, at));
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    at += bytesRead;
  }
}

function addEntry(index: ArchiveIndex, header: TarHeader): void {
  const name = posix.normalize(header.name).replace(/^\/+/, "");
  const isFile = header.type === "file" || header.type === "contiguous-file";
  if (header.type === "symlink") index.links.set(name, posix.join(posix.dirname(name), header.linkname ?? ""));
  if (!isFile) return;
  if (index.files.has(name)) {
    const problem = { field: `archive entry ${quoted(name)}`, expected: "one entry of that name", actual: "two" };
    throw new BuildError("malformed-image", problem);
  }
  index.files.set(name, { offset: header.byteOffset, size: header.size });
}

async function* unlessAborted(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

async function indexArchive(archive: FileHandle, size: number, signal?: AbortSignal): Promise<ArchiveIndex> {
  const bytes = unlessAborted(readRange(archive, 0, size), signal);
  const index: ArchiveIndex = { files: new Map(), links: new Map() };
  let entries = 0;
  await readTar(bytes, { field: "archive", code: "malformed-image" }, (header) => {
    entries += 1;
    if (entries > maxArchiveEntries) {
      const problem = { field: "archive", expected: `at most ${maxArchiveEntries} entries`, actual: "more" };
      throw new BuildError("limit-exceeded", problem);
    }
    addEntry(index, header);
  });
  return index;
}

/** A sparse file of any size costs nothing to make; to find its end would cost whoever builds from it hours. */
function checkSize(size: number, { uncompressedBytes }: ImageLimits): void {
  if (size <= uncompressedBytes) return;
  const problem = { field: "archive", expected: `at most ${uncompressedBytes} bytes`, actual: `${size} bytes` };
  throw new BuildError("limit-exceeded", problem);
}

function resolveName(index: ArchiveIndex, name: string): string {
  let resolved = name;
  for (let hop = 0; hop < maxArchiveLinks; hop += 1) resolved = index.links.get(resolved) ?? resolved;
  return resolved;
}

function findFile(archive: FileHandle, index: ArchiveIndex, name: string): StoredFile | null {
  const entry = index.files.get(resolveName(index, name));
  if (entry === undefined) return null;
  const { offset, size } = entry;
  return { size, read: (start = 0, end = size) => readRange(archive, offset + start, offset + end) };
}

/**
 * The files of a tar archive, found in one pass over its headers; nothing is copied. An archive that changes later is
 * noticed by the digests. Throws a BuildError when it is no tar archive, and the signal's reason when aborted.
 */
export async function openArchive(path: string, limits: ImageLimits, signal?: AbortSignal): Promise<ImageFiles> {
  const archive = await onFiles(imagePlace("archive"), () => open(path, "r"));
  try {
    const { size } = await archive.stat();
    checkSize(size, limits);
    const index = await indexArchive(archive, size, signal);
    return {
      kind: "archive",
      find: (name) => Promise.resolve(findFile(archive, index, name)),
      close: () => archive.close(),
    };
  } catch (error) {
    await archive.close();
    throw error;
  }
}
