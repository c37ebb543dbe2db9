import { BuildError } from "../build-error.ts";
import type { Descriptor } from "./descriptor.ts";
import { blobName } from "./descriptor.ts";
import { DigestCheck } from "./digest-check.ts";

/** One file of an image on disk: in a directory, or a range of an archive. */
export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `start`, up to `size`; in chunks. */
  read(start?: number, end?: number): AsyncIterable<Uint8Array>;
}

/** The files of an image by name, `/` between directories. */
export interface ImageFiles {
  readonly kind: "directory" | "archive";
  /** Null where there is no such regular file. */
  find(name: string): Promise<StoredFile | null>;
  close(): Promise<void>;
}

/** All bytes of a file that may hold `maxBytes` at most. */
export async function readAll(file: StoredFile, field: string, maxBytes: number): Promise<Uint8Array> {
  if (file.size > maxBytes) {
    const problem = { field, expected: `at most ${maxBytes} bytes`, actual: `${file.size} bytes` };
    throw new BuildError("limit-exceeded", problem);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The file that holds a blob. Its size is compared with the descriptor's, its digest is not. */
export async function findBlob(files: ImageFiles, descriptor: Descriptor): Promise<StoredFile> {
  const field = `${descriptor.field} (${descriptor.digest})`;
  const file = await files.find(blobName(descriptor.digest));
  if (file === null) {
    const hint = "the image was not saved whole: save it again, with all its layers";
    throw new BuildError("blob-missing", { field, expected: "its blob in the image", actual: "no such file", hint });
  }
  if (file.size !== descriptor.size) {
    const problem = { field, expected: `${descriptor.size} bytes`, actual: `${file.size} bytes` };
    throw new BuildError("size-mismatch", problem);
  }
  return file;
}

/** The bytes of a small blob, compared with its digest. */
export async function readBlob(files: ImageFiles, descriptor: Descriptor, maxBytes: number): Promise<Uint8Array> {
  const field = `${descriptor.field} (${descriptor.digest})`;
  const bytes = await readAll(await findBlob(files, descriptor), field, maxBytes);
  const check = new DigestCheck(field, descriptor);
  check.update(bytes);
  check.finish();
  return bytes;
}
