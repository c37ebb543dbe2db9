import { BuildError, type BuildErrorCode, quoted } from "../build-error.ts";
import { maxNameBytes, maxPathBytes } from "../limits.ts";

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
 * The names on the way to an entry; empty for the root itself. A leading `/` or `./` means the image's root, as in every
 * container runtime. Throws for `..`, for names that are too long, that hold a zero byte, or that are no UTF-8.
 */
export function entryPath(name: string): readonly string[] {
  checkText(name, name);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refused("path-traversal", name, "a path inside the image", "a path with ..");
  checkLength(parts.join("/"), name, "path", maxPathBytes);
  for (const part of parts) checkLength(part, name, "name", maxNameBytes);
  return parts;
}
