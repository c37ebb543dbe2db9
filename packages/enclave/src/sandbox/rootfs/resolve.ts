/** Paths of the application's root file system, read as the application itself would read them. */
import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "../errors.ts";

/** As many as the kernel follows. */
const MOST_LINKS = 40;

export interface ResolvedPath {
  /** Absolute inside the root file system, without any link. */
  readonly path: string;
  readonly kind: "directory" | "file" | "missing";
  /** The deepest directory on the way that exists; `path` itself where it is one. */
  readonly existing: string;
}

/** Follows links inside `rootfs`, never out of it. Whatever is no directory, file or link counts as unusable. */
export function resolveInside(rootfs: string, path: string): ResolvedPath {
  const pending = parts(path);
  const done: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const name = pending.shift() ?? "";
    if (name === "..") {
      done.pop();
      continue;
    }
    const stats = lstatSync(join(rootfs, ...done, name), { throwIfNoEntry: false });
    if (!stats) return missing(done, [name, ...pending]);
    if (stats.isSymbolicLink()) {
      if (++links > MOST_LINKS) throw unusable("a path of the image has too many symbolic links");
      const target = readlinkSync(join(rootfs, ...done, name));
      if (target.startsWith("/")) done.length = 0;
      pending.unshift(...parts(target));
    } else {
      if (!stats.isDirectory()) return fileAt(stats, done, name, pending);
      done.push(name);
    }
  }
  return { path: absolute(done), kind: "directory", existing: absolute(done) };
}

function missing(done: readonly string[], rest: readonly string[]): ResolvedPath {
  if (rest.includes("..")) throw unusable("a path of the sandbox leads up from a directory that is not there");
  return { path: absolute([...done, ...rest]), kind: "missing", existing: absolute(done) };
}

function fileAt(stats: Stats, done: readonly string[], name: string, pending: readonly string[]): ResolvedPath {
  if (!stats.isFile() || pending.length > 0) throw unusable("a path of the sandbox leads through a file of the image");
  return { path: absolute([...done, name]), kind: "file", existing: absolute(done) };
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function absolute(names: readonly string[]): string {
  return `/${names.join("/")}`;
}

export function unusable(reason: string): SandboxError {
  return new SandboxError(
    "rootfs-unusable",
    reason,
    "Check the image's directories against the Manifest's `writable`.",
  );
}
