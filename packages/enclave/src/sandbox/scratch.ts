/** Files that exist only as long as somebody needs their name. */
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomUUID } from "node:crypto";

export interface ScratchFile {
  readonly path: string;
  remove(): void;
}

/** Makes the directory itself, for its owner alone, where it is not there. */
export function makeScratch(scratch: string): void {
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
}

/** `scratch` must lie on a file system that may hold executables, where `mode` makes one. */
export function scratchFile(scratch: string, content: Uint8Array | string, mode: number): ScratchFile {
  const path = join(scratch, randomUUID());
  writeFileSync(path, content, { mode, flag: "wx" });
  // The umask of whoever started the box took bits from `mode`.
  chmodSync(path, mode);
  return { path, remove: () => rmSync(path, { force: true }) };
}

/** A descriptor to read `content` from; the file has no name any more. */
export function scratchDescriptor(scratch: string, content: Uint8Array | string, mode: number): number {
  const file = scratchFile(scratch, content, mode);
  try {
    return openSync(file.path, "r");
  } finally {
    file.remove();
  }
}

/** Closes descriptors that were handed on. */
export function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
