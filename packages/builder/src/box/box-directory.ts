/** The directory `<name>.blindbox`: what is in it, and how a new one takes its place all at once. */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "../build-error.ts";

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
  const facts = await stat(directory).catch(() => null);
  if (facts === null) return null;
  return facts.isDirectory() ? readdir(directory) : [""];
}

/** Throws a BuildError `not-a-box` unless the directory holds the three parts of a box. */
export async function checkBoxDirectory(directory: string): Promise<void> {
  const names = await namesIn(directory);
  const missing = Object.values(boxFiles).filter((name) => names?.includes(name) !== true);
  if (missing.length === 0) return;
  const actual = names === null ? "no such directory" : `no ${missing.join(", no ")}`;
  const hint = "build one with `blindbox build`";
  throw new BuildError("not-a-box", {
    field: "box",
    expected: "a directory that `blindbox build` wrote",
    actual,
    hint,
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

/** Starts a box named `name` in `outDir`. Throws a BuildError `output-exists` when something else stands there. */
export async function draftBox(outDir: string, name: string): Promise<BoxDraft> {
  const place = join(outDir, `${name}.blindbox`);
  await checkReplaceable(place);
  await mkdir(outDir, { recursive: true });
  const work = await mkdtemp(join(outDir, `.${name}.blindbox-`));
  const directory = join(work, "box");
  const scratch = join(work, "scratch");
  await mkdir(directory);
  await mkdir(scratch);
  return {
    directory,
    scratch,
    publish: async () => {
      await replace(directory, place, join(work, "before"));
      return place;
    },
    discard: () => rm(work, { recursive: true, force: true }),
  };
}
