/**
 * Control groups are directories that outlive whoever made them. The janitor waits until this process is gone, even if it
 * was killed, and removes them.
 */
import { spawnProgram } from "../program/run.ts";
import { attempt, buffer, type Step, text, words } from "../program/steps.ts";

export interface Janitor {
  /** Nothing is left to remove. */
  dismiss(): void;
}

/** Nanoseconds between attempts, and their number: the application dies at the same moment, and needs some of it. */
const RETRY_AFTER = 50_000_000;
const RETRIES = 100;

export function employJanitor(scratch: string, directories: readonly string[]): Janitor {
  const stdio = ["pipe", "ignore", "ignore"] as const;
  const child = spawnProgram(scratch, janitorSteps(directories), { stdio, descriptors: [] });
  child.stdin?.on("error", () => {});
  return { dismiss: () => child.kill("SIGKILL") };
}

function janitorSteps(directories: readonly string[]): Step[] {
  const paths = directories.map(text);
  const pause = words(0, RETRY_AFTER);
  const round = () => [...paths.map((path) => attempt("rmdir", path)), attempt("nanosleep", pause, 0)];
  // The other end of its standard input is ours, and nothing is ever written to it.
  return [attempt("read", 0, buffer(1), 1), ...Array.from({ length: RETRIES }, round).flat()];
}
