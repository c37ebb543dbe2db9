import { BuildError, type BuildErrorCode, quoted } from "../build-error.ts";
import { maxNameBytes, maxPathBytes, maxPathDepth } from "../limits.ts";

function refused(code: BuildErrorCode, name: string, expected: string, actual: string): BuildError {
  return new BuildError(code, { field: `entry ${quoted(name)}`, expected, actual });
}

/** Refuses text that no file name on Linux can be, or that the reader could not decode. */
export function checkText(text: string, name: string): void {
  if (text.includes("\0")) throw refused("bad-name", name, "no zero byte", "one");
  // The tar reader decodes what is no UTF-8 to this character; two different names would become one.
  if (text.includes("\ufffd")) throw refused("bad-name", name, "a name in UTF-8", "other bytes");
}

function checkLength(text: string, name: string, what: "name" | "path", most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw refused("limit-exceeded", name, `a ${what} of at most ${most} bytes`, `${bytes} bytes`);
}

/**
 * The path of an entry below the root, without slashes at its ends; empty for the root itself. A leading `/` or `./` means
 * the image's root, as in every container runtime. Throws for `..`, for paths that are too long or too deep, for names
 * that are too long, that hold a zero byte, or that are no UTF-8.
 */
export function entryPath(name: string): string {
  // As written, and before anything is made of it: a PAX record may hold megabytes.
  checkLength(name, name, "path", maxPathBytes);
  checkText(name, name);
  const parts = pathParts(name).filter((part) => part !== ".");
  if (parts.includes("..")) throw refused("path-traversal", name, "a path inside the image", "a path with ..");
  if (parts.length > maxPathDepth) throw tooDeep(name, parts.length);
  for (const part of parts) checkLength(part, name, "name", maxNameBytes);
  return parts.join("/");
}

function tooDeep(name: string, depth: number): BuildError {
  return refused("limit-exceeded", name, `a path of at most ${maxPathDepth} names`, `${depth}`);
}

/** The names of a path; none for the root. */
export function pathParts(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

/** Where an entry is: the path of its directory, and its name there. Both are empty for the root. */
export function splitPath(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}
