/**
 * How the application's root file system is put together: the image's files read-only, and over them the mounts that
 * every sandbox has. A directory of the image that lacks a mount point is rebuilt: an empty, read-only one takes its place
 * that holds all its entries and the mount point, so that nothing is ever written to the image's own files.
 */
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { resolveInside, unusable } from "./resolve.ts";

/** Something that is mounted over the image. `size` and `sharedMemory` in bytes. */
export type Mount =
  | { readonly kind: "proc" | "directory"; readonly path: string }
  | { readonly kind: "devices"; readonly path: string; readonly sharedMemory: number }
  | { readonly kind: "tmpfs"; readonly path: string; readonly size: number; readonly mode: number }
  | { readonly kind: "file"; readonly path: string; readonly content: string };

/** One entry of a rebuilt directory: taken from the image, or a symbolic link that is made anew. */
export type Entry =
  | { readonly kind: "bind"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface RebuiltDirectory {
  readonly path: string;
  readonly mode: number;
  readonly entries: readonly Entry[];
}

export interface Layout {
  /** Parents before children. */
  readonly rebuilt: readonly RebuiltDirectory[];
  /** With the paths that they really have; parents before children. */
  readonly mounts: readonly Mount[];
}

/** @throws SandboxError `rootfs-unusable` where a mount point is not what it must be. */
export function layOut(rootfs: string, wanted: readonly Mount[]): Layout {
  const mounts = new Map<string, Mount>();
  const incomplete = new Set<string>();
  for (const mount of wanted) {
    const place = resolveInside(rootfs, mount.path);
    if (place.path === "/" && mount.kind !== "directory")
      throw unusable("the root directory itself cannot be writable");
    demandKind(mount, place.kind);
    if (place.kind === "missing") incomplete.add(place.existing);
    mounts.set(place.path, stronger(mounts.get(place.path), { ...mount, path: place.path }));
  }
  const sorted = [...mounts.values()].toSorted((a, b) => depth(a.path) - depth(b.path));
  refuseInside(sorted, ["/proc", "/dev"]);
  const covered = (path: string) => sorted.some((mount) => mount.kind !== "directory" && isInside(path, mount.path));
  const rebuilt = [...incomplete].filter((path) => !covered(path)).toSorted((a, b) => depth(a) - depth(b));
  return { rebuilt: rebuilt.map((path) => rebuild(rootfs, path)), mounts: sorted };
}

function demandKind(mount: Mount, kind: "directory" | "file" | "missing"): void {
  const expected = mount.kind === "file" ? "file" : "directory";
  if (kind !== "missing" && kind !== expected) throw unusable(`a ${expected} of the sandbox is a ${kind} in the image`);
}

// The working directory may also be a writable one; two links may lead to one directory.
function stronger(before: Mount | undefined, now: Mount): Mount {
  if (!before || before.kind === "directory") return now;
  if (now.kind === "directory") return before;
  if (before.kind !== now.kind) throw unusable("two mounts of the sandbox meet in one directory of the image");
  return before.kind === "tmpfs" && now.kind === "tmpfs" && before.size > now.size ? before : now;
}

function refuseInside(mounts: readonly Mount[], closed: readonly string[]): void {
  const inside = ({ path }: Mount) => closed.some((parent) => path !== parent && isInside(path, parent));
  if (mounts.some(inside)) throw unusable("a path of the Manifest lies in /proc or /dev");
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

function rebuild(rootfs: string, path: string): RebuiltDirectory {
  const names = readdirSync(join(rootfs, path), { withFileTypes: true });
  const entries = names.flatMap((name): Entry[] => {
    const at = posix.join(path, name.name);
    if (name.isSymbolicLink()) return [{ kind: "link", path: at, target: readlinkSync(join(rootfs, at)) }];
    return name.isDirectory() || name.isFile() ? [{ kind: "bind", path: at }] : [];
  });
  return { path, mode: statSync(join(rootfs, path)).mode & 0o7777, entries };
}

function depth(path: string): number {
  return path === "/" ? 0 : path.split("/").length;
}
