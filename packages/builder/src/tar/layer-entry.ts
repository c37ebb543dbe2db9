import { BuildError, quoted } from "../build-error.ts";
import { maxTargetBytes } from "../limits.ts";
import { checkText, entryPath, pathParts, splitPath } from "./entry-path.ts";
import type { TarHeader } from "./read-tar.ts";

/** Owner, permissions and time of an entry. */
export interface Metadata {
  /**
   * Permission bits, and the sticky bit of a directory. Set-uid, set-gid and the sticky bit of files are dropped: inside
   * the sandbox `no_new_privs` makes them void, and outside they would be a set-uid file that an untrusted image brought.
   * Extended attributes (file capabilities among them) are dropped for the same reason.
   */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970, 0 to 2147483647. */
  readonly mtime: number;
}

/** What one entry of a layer says. */
export type LayerEntry = PlacedEntry | WhiteoutEntry | OpaqueEntry | SpecialEntry;

/** An entry that puts something in its place. */
export type PlacedEntry = FileEntry | DirectoryEntry | SymlinkEntry | HardLinkEntry;

interface EntryPlace {
  /** Names with slashes between them; empty for the root. One text and no list: it is kept for every entry. */
  readonly path: string;
}

/** A regular file; `offset` is where its bytes start in the layer. */
export interface FileEntry extends EntryPlace {
  readonly kind: "file";
  readonly metadata: Metadata;
  readonly offset: number;
  readonly size: number;
}

export interface DirectoryEntry extends EntryPlace {
  readonly kind: "directory";
  readonly metadata: Metadata;
}

export interface SymlinkEntry extends EntryPlace {
  readonly kind: "symlink";
  readonly metadata: Metadata;
  /** As written: relative to its own directory, or to the root of the image. */
  readonly target: string;
}

/** Another name for the file at `target`, whose metadata it has; what its own header says of them does not count. */
export interface HardLinkEntry extends EntryPlace {
  readonly kind: "hard-link";
  /** As `path`. */
  readonly target: string;
}

/** Hides what the layers below have at `path`. */
export interface WhiteoutEntry extends EntryPlace {
  readonly kind: "whiteout";
}

/** Hides all that the layers below have in the directory `path`. */
export interface OpaqueEntry extends EntryPlace {
  readonly kind: "opaque";
}

/** A device or FIFO. */
export interface SpecialEntry extends EntryPlace {
  readonly kind: "special";
  readonly metadata: Metadata;
}

const whiteoutPrefix = ".wh.";
const opaqueName = ".wh..wh..opq";
const maxTime = 0x7fff_ffff;

function unsupported(header: TarHeader, expected: string, hint?: string): BuildError {
  const actual = header.type ?? "a type that is not read";
  const problem = { field: `entry ${quoted(header.name)}`, expected, actual };
  return new BuildError("unsupported-entry", hint === undefined ? problem : { ...problem, hint });
}

/** The forms that POSIX gives them (pax, "Extended Header Keywords"); readers differ on every other text. */
const numericRecords = [
  ["size", /^\d+$/],
  ["uid", /^\d+$/],
  ["gid", /^\d+$/],
  ["mtime", /^-?\d+(\.\d*)?$/],
] as const;

function notANumber(header: TarHeader, member: string): BuildError {
  const problem = { field: `entry ${quoted(header.name)}`, expected: `a number as ${member}`, actual: "none" };
  return new BuildError("malformed-layer", problem);
}

function checkRecords(header: TarHeader): void {
  for (const [member, form] of numericRecords) {
    const record = header.pax?.[member];
    if (record !== undefined && !form.test(record)) throw notANumber(header, member);
  }
}

function numberOf(header: TarHeader, member: "mode" | "uid" | "gid"): number {
  const record = member === "mode" ? undefined : header.pax?.[member];
  const value = record === undefined ? header[member] : Number(record);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw notANumber(header, member);
}

function metadataOf(header: TarHeader): Metadata {
  const mode = numberOf(header, "mode");
  const seconds = Math.floor(header.mtime.getTime() / 1000);
  return {
    mode: mode & (header.type === "directory" ? 0o1777 : 0o777),
    uid: numberOf(header, "uid"),
    gid: numberOf(header, "gid"),
    mtime: Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), maxTime) : 0,
  };
}

/** A sparse file is small in the archive and of any size outside of it; no image builder writes one on purpose. */
function refuseSparse(header: TarHeader): void {
  const isSparse = Object.keys(header.pax ?? {}).some((key) => key.startsWith("GNU.sparse"));
  if (!isSparse) return;
  throw unsupported({ ...header, type: "sparse file" }, "a file with all its bytes", "pack the layer without --sparse");
}

function whiteoutOf(header: TarHeader, path: string): LayerEntry | null {
  const { parent, name } = splitPath(path);
  if (pathParts(parent).some((part) => part.startsWith(whiteoutPrefix)))
    throw unsupported(header, "nothing below a whiteout");
  if (header.type === "character-device" && header.devmajor === 0 && header.devminor === 0) {
    return { kind: "whiteout", path };
  }
  if (!name.startsWith(whiteoutPrefix)) return null;
  if (name === opaqueName) return { kind: "opaque", path: parent };
  // AUFS kept its own records under these names; no builder writes them any more.
  if (name.startsWith(".wh..wh.")) throw unsupported(header, "a whiteout of the OCI image specification");
  const hidden = name.slice(whiteoutPrefix.length);
  const isPlain = header.type === "file" || header.type === "link";
  if (!isPlain || hidden === "") throw unsupported(header, "a whiteout that is an empty file and names what it hides");
  if (hidden === "." || hidden === "..") {
    const problem = { field: `entry ${quoted(header.name)}`, expected: "a whiteout of a name", actual: quoted(hidden) };
    throw new BuildError("path-traversal", problem);
  }
  return { kind: "whiteout", path: parent === "" ? hidden : `${parent}/${hidden}` };
}

function symlinkTarget(header: TarHeader): string {
  const target = header.linkname ?? "";
  checkText(target, header.name);
  const bytes = Buffer.byteLength(target);
  if (bytes > 0 && bytes <= maxTargetBytes) return target;
  const problem = { field: `symlink ${quoted(header.name)}`, expected: `a target of 1 to ${maxTargetBytes} bytes` };
  throw new BuildError("bad-link", { ...problem, actual: `${bytes} bytes` });
}

/**
 * Reads one header strictly. Devices and FIFOs come back as `special`: a later layer may remove them, and what counts
 * is the flattened tree. Throws a BuildError for everything that is no entry of an image layer.
 */
export function parseEntry(header: TarHeader): LayerEntry {
  refuseSparse(header);
  checkRecords(header);
  const path = entryPath(header.name);
  const whiteout = whiteoutOf(header, path);
  if (whiteout !== null) return whiteout;
  const metadata = metadataOf(header);
  switch (header.type) {
    case "file":
    case "contiguous-file":
      return { kind: "file", path, metadata, offset: header.byteOffset, size: header.size };
    case "directory":
      return { kind: "directory", path, metadata };
    case "symlink":
      return { kind: "symlink", path, metadata, target: symlinkTarget(header) };
    case "link":
      return { kind: "hard-link", path, target: entryPath(header.linkname ?? "") };
    case "character-device":
    case "block-device":
    case "fifo":
      return { kind: "special", path, metadata };
    default:
      throw unsupported(header, "a file, directory or link", "sparse and multi-volume archives are not read");
  }
}
