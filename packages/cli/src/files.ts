import { createReadStream, existsSync, lstatSync, statSync } from "node:fs";
import { access, constants, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { buffer } from "node:stream/consumers";
import { CliError } from "./output/failure.ts";

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file or directory"],
  ["EACCES", "no permission"],
  ["EPERM", "no permission"],
  ["EISDIR", "a directory"],
  ["ENOTDIR", "a path through something that is no directory"],
  ["EEXIST", "a file that is there already"],
  ["ENOSPC", "a full disk"],
  ["EDQUOT", "a disk quota that is used up"],
  ["EFBIG", "a limit on the size of files"],
  ["EROFS", "a read-only file system"],
  ["ENAMETOOLONG", "a name that is too long"],
  ["ELOOP", "symbolic links that lead in circles"],
  ["ENXIO", "something that cannot be opened as a file"],
  ["EPIPE", "a reader that went away"],
]);

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Node refuses such a name itself, before any file system sees it. */
function isNulName(error: Error): boolean {
  return codeOf(error) === "ERR_INVALID_ARG_VALUE" && error.message.includes("without null bytes");
}

/** The sentence for an error of the file system, or undefined for another kind of error. */
export function fileReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isNulName(error)) return "a name with a zero byte";
  const known = reasons.get(codeOf(error));
  if (known !== undefined) return known;
  return "syscall" in error ? `the error ${codeOf(error)} of the system` : undefined;
}

/** What a file should have been. */
export interface WantedFile {
  /** As the user named it. */
  readonly what: string;
  readonly expected: string;
  readonly hint: string;
}

/** Does `work` on a file that the user named; what the file system refuses becomes a `CliError`. */
export async function onFile<T>(wanted: WantedFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const actual = fileReason(error);
    if (actual === undefined) throw error;
    throw new CliError({ ...wanted, actual });
  }
}

/** Nothing that is read whole may be larger: the largest document has 2 MiB, and a device may have no end. */
const maxBytes = 2 ** 22;

/** Reads a file that the user named, of `most` bytes at most. Throws a `CliError` that says why it cannot be read. */
export async function readInputBytes(wanted: WantedFile, most: number = maxBytes): Promise<Uint8Array> {
  const bytes = await onFile(wanted, () => buffer(createReadStream(wanted.what, { end: most })));
  if (bytes.length > most) throw new CliError({ ...wanted, actual: `more than ${most} bytes` });
  return new Uint8Array(bytes);
}

/**
 * Reads a text in UTF-8 that the user named. Throws a `CliError` that says why it cannot be read.
 *
 * @param kind what the file should be, for the message: `a Manifest`
 * @param most bytes that it may have
 */
export async function readInputText(
  path: string,
  kind: string,
  hint: string,
  most: number = maxBytes,
): Promise<string> {
  const bytes = await readInputBytes({ what: path, expected: kind, hint }, most);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CliError({ what: path, expected: `${kind} in UTF-8`, actual: "bytes that are no UTF-8", hint });
  }
}

function newFile(path: string): WantedFile {
  return { what: path, expected: "a new file", hint: "nothing is overwritten: name another file" };
}

/**
 * Checks that `path` can become a file by {@link writeNewFile}, for whoever has much to do before there is something to
 * write. Nothing is made. Throws a `CliError`.
 */
export function checkNewFile(path: string): Promise<void> {
  const wanted = newFile(path);
  return onFile(wanted, async () => {
    if (path === "" || path.endsWith("/")) throw new CliError({ ...wanted, actual: "a name that no file can have" });
    // A symbolic link that leads nowhere is in the way as well.
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (facts !== undefined) throw new CliError({ ...wanted, actual: "a file that is there already" });
    return access(dirname(path), constants.W_OK | constants.X_OK);
  });
}

/** Writes a file that must not be there yet. Throws a `CliError` where it is, or where it cannot be written whole. */
export function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  return onFile(newFile(path), async () => {
    const file = await open(path, "wx", mode);
    try {
      await file.writeFile(text);
      await file.close();
    } catch (error) {
      await file.close().catch(() => {});
      // Half a file would stand in the way of the next attempt.
      await unlink(path);
      throw error;
    }
  });
}

/** Whether `path` is a directory that can be read. */
export function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
