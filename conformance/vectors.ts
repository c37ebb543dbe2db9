/** Where the shared vectors of real evidence are. They live beside the project, not in it; this file alone knows where. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("..", import.meta.url));

/** The folder of the vectors: BLINDBOX_VECTORS, or `../shared/vectors` beside the repository; null where it is absent. */
export function vectorsFolder(): string | null {
  const folder = resolve(repository, process.env.BLINDBOX_VECTORS ?? "../shared/vectors");
  return existsSync(folder) ? folder : null;
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
