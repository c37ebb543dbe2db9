import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

const chunkBytes = 1 << 20;

/** A byte range of a scratch file: the content of one file of the image. */
export interface Content {
  readonly file: ScratchFile;
  readonly offset: number;
  readonly size: number;
}

/** Bytes on disk that have no name: they vanish with this process, however it ends. */
export class ScratchFile {
  readonly #descriptor: number;
  #size = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#size + written);
    }
    this.#size += bytes.length;
  }

  /** The bytes of the range, a chunk at a time. Throws a RangeError when the file does not hold them. */
  *read(offset: number, size: number): Generator<Uint8Array> {
    for (let done = 0; done < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - done));
      const count = readSync(this.#descriptor, chunk, 0, chunk.length, offset + done);
      if (count === 0) throw new RangeError(`scratch file: expected ${size} bytes at ${offset}, found ${done}`);
      yield chunk.subarray(0, count);
      done += count;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Makes scratch files in one directory, and closes them all together. */
export class Scratch {
  readonly #directory: string;
  readonly #files: ScratchFile[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  create(): ScratchFile {
    const path = join(this.#directory, `scratch-${this.#files.length}`);
    const file = new ScratchFile(openSync(path, "wx+", 0o600));
    this.#files.push(file);
    unlinkSync(path);
    return file;
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}
