/** The directory `<name>.blindbox`: what is in it, and how a new one takes its place all at once. */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BuildError, shownPath } from "../build-error.ts";
import { faultCode, type FilePlace, onFiles, outputPlace } from "../file-fault.ts";
import { makeDirectories } from "../make-directories.ts";
import { makeDraftDirectory } from "./draft-directory.ts";

/** Names in a box directory. */
export const boxFiles = { image: "image", manifest: "manifest.json", release: "blindbox.release.json" } as const;

/** A box that is being made beside the place where it will stand. */
export interface BoxDraft {
  /** Fill this with the files of a box. */
  readonly directory: string;
  /** For files that are not part of it. */
  readonly scratch: string;
  /** Puts the draft in its place, where an older box may stand, and returns that path. */
  publish(): Promise<string>;
  /** Removes what was not published. */
  discard(): Promise<void>;
}

async function namesIn(directory: string): Promise<readonly string[] | null> {
  try {
    return (await stat(directory)).isDirectory() ? await readdir(directory) : [""];
  } catch (error) {
    if (faultCode(error) === "ENOENT") return null;
    throw error;
  }
}

const boxPlace: FilePlace = {
  code: "not-a-box",
  field: "box",
  expected: "a directory that `blindbox build` wrote",
  hint: "build one with `blindbox build`",
};

/** Throws a BuildError `not-a-box` unless the directory holds the three parts of a box. */
export async function checkBoxDirectory(directory: string): Promise<void> {
  const names = await onFiles(boxPlace, () => namesIn(directory));
  const missing = Object.values(boxFiles).filter((name) => names?.includes(name) !== true);
  if (missing.length === 0) return;
  const actual = names === null ? "no such directory" : `no ${missing.join(", no ")}`;
  const { code, ...facts } = boxPlace;
  throw new BuildError(code, { ...facts, actual });
}

/** Throws a BuildError `already-a-box` for a directory that holds a box. What it holds is not read. */
export async function refuseBoxDirectory(directory: string): Promise<void> {
  const names = await namesIn(directory).catch(() => null);
  if (Object.values(boxFiles).every((name) => names?.includes(name) === true)) throw alreadyBox();
}

/** The error for a box that was given in place of an application's image. */
export function alreadyBox(): BuildError {
  return new BuildError("already-a-box", {
    field: "image",
    expected: "the image of an application",
    actual: "a box that BlindBox built",
    hint: "name the image that the box was built from; `blindbox run` starts a box",
  });
}

async function checkReplaceable(place: string): Promise<void> {
  const names = await namesIn(place);
  if (names === null) return;
  const own: readonly string[] = Object.values(boxFiles);
  if (own.every((name) => names.includes(name)) && names.every((name) => own.includes(name))) return;
  const problem = {
    field: "output",
    expected: "a free name, or an earlier box",
    actual: "something else of that name",
  };
  throw new BuildError("output-exists", { ...problem, hint: "move it away, or build into another directory" });
}

async function moveIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

async function replace(directory: string, place: string, aside: string): Promise<void> {
  await checkReplaceable(place);
  await moveIfThere(place, aside);
  try {
    await rename(directory, place);
  } catch (error) {
    await moveIfThere(aside, place);
    throw error;
  }
}

/** What errors say of the directory in which a box is put. */
export function outDirPlace(outDir: string): FilePlace {
  return outputPlace(outDir === "" ? "the output directory" : shownPath(outDir));
}

async function makeDraft(work: string): Promise<Pick<BoxDraft, "directory" | "scratch">> {
  const [directory, scratch] = [join(work, "box"), join(work, "scratch")];
  try {
    await mkdir(directory);
    await mkdir(scratch);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
  return { directory, scratch };
}

/**
 * Starts a box named `name` in `outDir`. Throws a BuildError: `output-exists` when something else stands there,
 * `output-unusable` where nothing can be written.
 */
export async function draftBox(outDir: string, name: string): Promise<BoxDraft> {
  const outPlace = outDirPlace(outDir);
  if (outDir === "") throw emptyOutDir(outPlace);
  const place = join(outDir, `${name}.blindbox`);
  return onFiles(outPlace, async () => {
    await checkReplaceable(place);
    await makeDirectories(outDir);
    const work = await makeDraftDirectory(outDir, name);
    const { directory, scratch } = await makeDraft(work);
    const publish = async (): Promise<string> => {
      await onFiles(outPlace, () => replace(directory, place, join(work, "before")));
      return place;
    };
    const discard = (): Promise<void> => onFiles(outPlace, () => rm(work, { recursive: true, force: true }));
    return { directory, scratch, publish, discard };
  });
}

function emptyOutDir({ code, ...facts }: FilePlace): BuildError {
  return new BuildError(code, { ...facts, actual: "an empty path" });
}
