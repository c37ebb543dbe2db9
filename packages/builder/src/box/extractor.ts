/** Writes entries below one directory that nobody else can reach, with no symlink anywhere on the way to one. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { BuildError, quoted } from "../build-error.ts";
import { onFiles, onFilesSync, outputPlace } from "../file-fault.ts";
import { splitPath } from "../tar/entry-path.ts";
import type { FileEntry, LayerEntry, Metadata, PlacedEntry } from "../tar/layer-entry.ts";

const place = outputPlace("destination");

/** What an ordinary user needs on its own files, to read them in the sandbox and to remove them afterwards. */
const ownDirectoryBits = 0o700;
const ownFileBits = 0o400;

function refuse(path: string, expected: string, actual: string): BuildError {
  return new BuildError("unsupported-entry", { field: `entry ${quoted(path)}`, expected, actual });
}

/** Knows what it wrote itself, and lets an entry stand only in a directory that it made. */
export class Extractor {
  readonly #root: string;
  readonly #preserveOwners: boolean;
  readonly #directories: Map<string, Metadata> = new Map();
  readonly #files: Set<string> = new Set();
  readonly #symlinks: Set<string> = new Set();

  /** `root` exists and is empty. */
  constructor(root: string, preserveOwners: boolean) {
    this.#root = root;
    this.#preserveOwners = preserveOwners;
  }

  /** Writes one entry; `body` is read for files only. Throws a BuildError for what no box holds, or no disk takes. */
  write(entry: LayerEntry, body: AsyncIterable<Uint8Array>): Promise<void> {
    return onFiles(place, () => this.#write(entry, body));
  }

  async #write(entry: LayerEntry, body: AsyncIterable<Uint8Array>): Promise<void> {
    const { path } = entry;
    if (entry.kind === "whiteout" || entry.kind === "opaque" || entry.kind === "special") {
      throw refuse(path, "a file, directory or link", entry.kind);
    }
    if (path === "") throw refuse(path, "an entry below the root", "the root");
    this.#checkPlace(entry, path);
    if (entry.kind === "file") await this.#writeFile(entry, path, body);
    else if (entry.kind === "directory") this.#makeDirectory(entry.metadata, path);
    else if (entry.kind === "symlink") this.#makeSymlink(entry.metadata, path, entry.target);
    else this.#makeLink(path, entry.target);
  }

  /** Gives directories their permissions and times, which writing into them would have changed. */
  finish(): void {
    onFilesSync(place, () => this.#finishDirectories());
  }

  #finishDirectories(): void {
    for (const [path, { mode, mtime }] of [...this.#directories].reverse()) {
      chmodSync(join(this.#root, path), this.#preserveOwners ? mode : mode | ownDirectoryBits);
      utimesSync(join(this.#root, path), mtime, mtime);
    }
  }

  #checkPlace(entry: PlacedEntry, path: string): void {
    const { parent } = splitPath(path);
    if (parent !== "" && !this.#directories.has(parent)) {
      throw refuse(path, "a parent directory that stands before it", this.#symlinks.has(parent) ? "a symlink" : "none");
    }
    const again = this.#files.has(path) || this.#symlinks.has(path);
    if (again || (this.#directories.has(path) && entry.kind !== "directory")) throw refuse(path, "one entry", "two");
  }

  #makeDirectory(metadata: Metadata, path: string): void {
    const target = join(this.#root, path);
    if (!this.#directories.has(path)) {
      mkdirSync(target, { mode: ownDirectoryBits });
      // The umask may have taken away what we need to write into it.
      chmodSync(target, ownDirectoryBits);
    }
    if (this.#preserveOwners) chownSync(target, metadata.uid, metadata.gid);
    this.#directories.set(path, metadata);
  }

  #makeSymlink({ uid, gid, mtime }: Metadata, path: string, target: string): void {
    const place = join(this.#root, path);
    symlinkSync(target, place);
    if (this.#preserveOwners) lchownSync(place, uid, gid);
    lutimesSync(place, mtime, mtime);
    this.#symlinks.add(path);
  }

  #makeLink(path: string, target: string): void {
    if (!this.#files.has(target)) throw refuse(path, "a hard link to a file that stands before it", "another target");
    linkSync(join(this.#root, target), join(this.#root, path));
    this.#files.add(path);
  }

  async #writeFile({ metadata }: FileEntry, path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const { mode, uid, gid, mtime } = metadata;
    const descriptor = openSync(join(this.#root, path), "wx", 0o600);
    try {
      for await (const chunk of body) writeAll(descriptor, chunk);
      if (this.#preserveOwners) fchownSync(descriptor, uid, gid);
      fchmodSync(descriptor, this.#preserveOwners ? mode : mode | ownFileBits);
      futimesSync(descriptor, mtime, mtime);
    } finally {
      closeSync(descriptor);
    }
    this.#files.add(path);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
