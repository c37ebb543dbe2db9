/** Where the shared vectors of real evidence are. They live beside the project, not in it; this file alone knows where. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("..", import.meta.url));

/**
 * The folder of the vectors: BLINDBOX_VECTORS, or `../shared/vectors` beside the repository; null where the latter is absent.
 *
 * @throws Error where BLINDBOX_VECTORS names a folder that is not there: a slip of the pen would skip everything.
 */
export function vectorsFolder(): string | null {
  const named = process.env["BLINDBOX_VECTORS"];
  const folder = resolve(repository, named ?? "../shared/vectors");
  if (existsSync(folder)) return folder;
  if (named === undefined) return null;
  throw new Error(
    "BLINDBOX_VECTORS: expected a folder, got none of that name; unset it to skip what needs the vectors",
  );
}

/** Says in one line what is skipped because the vectors are absent. */
export function skipLine(what: string): string {
  return `skipped ${what}: no vectors at BLINDBOX_VECTORS (default ../shared/vectors)`;
}

/** Every file below the vectors' folder that ends in one of `endings`, absolute, sorted; empty where it is absent. */
export function vectorFiles(endings: readonly string[]): string[] {
  const folder = vectorsFolder();
  if (folder === null) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .map((file) => join(folder, file))
    .sort();
}
