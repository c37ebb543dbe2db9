import type { Duplex } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { StoredFile } from "./image-files.ts";

/** How bytes are packed, told by how they begin. Media types and file names lie too often. */
export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

const marks: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58]],
];

export async function compressionOf(file: StoredFile): Promise<Compression> {
  const head: number[] = [];
  for await (const chunk of file.read(0, Math.min(4, file.size))) head.push(...chunk);
  return marks.find(([, mark]) => mark.every((byte, index) => head[index] === byte))?.[0] ?? "none";
}

const chunkSize = 1 << 18;

/** The stream that unpacks; null for the forms that no layer of an image has. */
export function decompressor(compression: Compression): Duplex | null {
  if (compression === "gzip") return createGunzip({ chunkSize });
  return compression === "zstd" ? createZstdDecompress({ chunkSize }) : null;
}
