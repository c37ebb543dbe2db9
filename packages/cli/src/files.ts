import { existsSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { CliError } from "./output/failure.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "no permission",
  EPERM: "no permission",
  EISDIR: "a directory",
  ENOTDIR: "a path through something that is no directory",
  EEXIST: "a file that is there already",
  ENOSPC: "a full disk",
  EROFS: "a read-only file system",
};

/** The sentence for an error of the file system, or undefined for another kind of error. */
export function fileReason(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? reasons[code] : undefined;
}

/**
 * Reads a file that the user named. Throws a `CliError` that says why it cannot be read.
 *
 * @param kind what the file should be, for the message: `a Manifest`
 */
export async function readInput(path: string, kind: string, hint: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const actual = fileReason(error);
    if (actual === undefined) throw error;
    throw new CliError({ what: path, expected: kind, actual, hint });
  }
}

/** Like {@link readInput}, for text in UTF-8. */
export async function readInputText(path: string, kind: string, hint: string): Promise<string> {
  const bytes = await readInput(path, kind, hint);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CliError({ what: path, expected: `${kind} in UTF-8`, actual: "bytes that are no UTF-8", hint });
  }
}

/** Writes a file that must not be there yet. Throws a `CliError` where it is, or where it cannot be written. */
export async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx", mode });
  } catch (error) {
    const actual = fileReason(error);
    if (actual === undefined) throw error;
    throw new CliError({
      what: path,
      expected: "a new file",
      actual,
      hint: "nothing is overwritten: name another file",
    });
  }
}

/** Whether `path` is a directory that can be read. */
export function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
