/** What the file system refuses, as an error that a person can put right. */
import { BuildError, type BuildErrorCode } from "./build-error.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "a read-only file system",
  ENOSPC: "a full disk",
  EDQUOT: "a disk quota that is used up",
  EEXIST: "a file of that name",
  ENOTDIR: "a path through something that is no directory",
  EISDIR: "a directory",
  ENAMETOOLONG: "a name that is too long",
  ELOOP: "symlinks that lead in circles",
  EFBIG: "a limit on the size of files",
  EIO: "a disk that cannot be read or written",
  EMFILE: "too many open files",
  ENFILE: "too many open files",
};

/** The code of an error that a call to the file system gave (`ENOSPC`); null for every other error. */
export function faultCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return null;
  return typeof error.code === "string" && /^E[A-Z0-9]{2,20}$/.test(error.code) ? error.code : null;
}

/** The same in words, without the path; null for every other error. */
export function fileReason(error: unknown): string | null {
  const code = faultCode(error);
  return code === null ? null : (reasons[code] ?? `the error ${code} of the file system`);
}

/** What an error says of the files in question. */
export interface FilePlace {
  readonly code: BuildErrorCode;
  readonly field: string;
  readonly expected: string;
  /** The next step, unless the disk is full. */
  readonly hint: string;
}

/** The BuildError for what the file system refused there; every other error as it is. */
export function fileFault({ hint, ...place }: FilePlace, error: unknown): unknown {
  const actual = fileReason(error);
  if (actual === null) return error;
  const isFull = ["ENOSPC", "EDQUOT"].includes(faultCode(error) ?? "");
  return new BuildError(place.code, { ...place, actual, hint: isFull ? "make room there" : hint });
}

/** Does `work` on the files of a place. Throws a BuildError for what the file system refuses, and what `work` throws. */
export async function onFiles<T>(place: FilePlace, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFault(place, error);
  }
}

/** Like `onFiles`, for work that is done at once. */
export function onFilesSync<T>(place: FilePlace, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileFault(place, error);
  }
}

/** A file of an image, or the image itself. */
export function imagePlace(field: string): FilePlace {
  const hint = "let the user who builds or runs read it";
  return { code: "image-unreadable", field, expected: "a file that can be read", hint };
}

/** The directory that is written to; `field` names it. */
export function outputPlace(field: string): FilePlace {
  const hint = "name a directory that you may write to";
  return { code: "output-unusable", field, expected: "a directory that can be written to", hint };
}
