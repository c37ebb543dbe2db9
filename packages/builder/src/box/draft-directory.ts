/** The hidden directory beside a box in which the next one is made. Those of builds that were killed are removed. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAbandoned, ownMark } from "../owner-mark.ts";

function prefixOf(name: string): string {
  return `.${name}.blindbox-`;
}

/** `mkdtemp` appends six letters or digits to the mark. */
function markIn(entry: string, name: string): string | null {
  if (!entry.startsWith(prefixOf(name))) return null;
  return /^(.+)-[A-Za-z0-9]{6}$/.exec(entry.slice(prefixOf(name).length))?.[1] ?? null;
}

async function removeAbandoned(outDir: string, name: string): Promise<void> {
  // A directory that one may write to but not list is no reason not to build.
  const entries = await readdir(outDir).catch(() => []);
  for (const entry of entries) {
    const mark = markIn(entry, name);
    if (mark === null || !(await isAbandoned(mark))) continue;
    // What cannot be removed belongs to somebody else.
    await rm(join(outDir, entry), { recursive: true, force: true }).catch(() => {});
  }
}

/** Makes a directory for a box `name` in `outDir`, and removes those that killed builds of that name left there. */
export async function makeDraftDirectory(outDir: string, name: string): Promise<string> {
  await removeAbandoned(outDir, name);
  const mark = await ownMark();
  return mkdtemp(join(outDir, `${prefixOf(name)}${mark === null ? "" : `${mark}-`}`));
}
