import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { faultCode } from "./file-fault.ts";

async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    // Where nothing may be written, what is there already counts more than that nothing may be added.
    const facts = await stat(path).catch(() => null);
    if (facts?.isDirectory() === true) return false;
    throw error;
  }
}

/**
 * Makes a directory, and the directories on the way to it. Returns whether it was made, and false where it was there. `mode`
 * is that of all that are made; the umask takes from it. Rejects with the file system's own error. `mkdir` of Node with
 * `recursive` never ends where a file system takes no directories (`/proc`).
 */
export async function makeDirectories(path: string, mode = 0o777): Promise<boolean> {
  try {
    return await makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (faultCode(error) !== "ENOENT" || parent === path) throw error;
    const facts = await stat(parent).catch(() => null);
    if (facts === null) await makeDirectories(parent, mode);
    // Also where the parent is there: another process may have made it a moment ago.
    return makeOne(path, mode);
  }
}
