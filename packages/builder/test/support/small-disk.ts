import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { scratchDirectory } from "./images.ts";

function mount(place: string, options: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", place]).status === 0;
}

/** Whether this user may mount a file system. */
export const canMount: boolean = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

/** A directory on a file system of its own with these options (`size=1m`, `ro`), gone after the test. */
export function smallDisk(options: string): string {
  const place = join(scratchDirectory(), "disk");
  mkdirSync(place, { mode: 0o700 });
  if (!mount(place, `${options},mode=0700`)) throw new Error("no tmpfs can be mounted here");
  onTestFinished(() => void spawnSync("umount", [place]));
  return place;
}
