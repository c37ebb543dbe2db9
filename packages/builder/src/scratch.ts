import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type FilePlace, onFilesSync } from "./file-fault.ts";

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
  readonly #place: FilePlace;
  #size = 0;

  /** `place` is what errors say of the directory. */
  constructor(descriptor: number, place: FilePlace) {
    this.#descriptor = descriptor;
    this.#place = place;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws a BuildError of the place where the file system takes no more. */
  append(bytes: Uint8Array): void {
    onFilesSync(this.#place, () => {
      let written = 0;
      while (written < bytes.length) {
        written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#size + written);
      }
    });
    this.#size += bytes.length;
  }

  /** The bytes of the range, a chunk at a time. Throws a RangeError when the file does not hold them. */
  *read(offset: number, size: number): Generator<Uint8Array> {
    for (let done = 0; done < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - done));
      const count = onFilesSync(this.#place, () => readSync(this.#descriptor, chunk, 0, chunk.length, offset + done));
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
  readonly #place: FilePlace;
  readonly #files: ScratchFile[] = [];

  /** `place` is what errors say of the directory. */
  constructor(directory: string, place: FilePlace) {
    this.#directory = directory;
    this.#place = place;
  }

  create(): ScratchFile {
    const path = join(this.#directory, `scratch-${this.#files.length}`);
    return onFilesSync(this.#place, () => {
      const file = new ScratchFile(openSync(path, "wx+", 0o600), this.#place);
      this.#files.push(file);
      unlinkSync(path);
      return file;
    });
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}
