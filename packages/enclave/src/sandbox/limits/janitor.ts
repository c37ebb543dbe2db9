/**
 * Control groups are directories that outlive whoever made them. The janitor waits until this process is gone, even if it
 * was killed, and removes them.
 */
import { spawnProgram } from "../program/run.ts";
import { attempt, buffer, type Step, text, unlessAbsent, words } from "../program/steps.ts";

export interface Janitor {
  /** Nothing is left to remove. */
  dismiss(): void;
}

/** Seconds and nanoseconds before each new attempt: what was in there is dying, and then waits for its parent to notice. */
const PAUSES: readonly (readonly [seconds: number, nanoseconds: number])[] = [
  ...Array.from({ length: 20 }, () => [0, 50_000_000] as const),
  ...Array.from({ length: 60 }, () => [1, 0] as const),
];

export function employJanitor(scratch: string, directories: readonly string[]): Janitor {
  const stdio = ["pipe", "ignore", "ignore"] as const;
  const child = spawnProgram(scratch, janitorSteps(directories), { stdio, descriptors: [] });
  child.stdin?.on("error", () => {});
  return { dismiss: () => child.kill("SIGKILL") };
}

function janitorSteps(directories: readonly string[]): Step[] {
  const [last, ...others] = directories.toReversed();
  if (last === undefined) return [];
  // Once the last one is gone, all were tried again when nobody was in there any more, and the work is done.
  const removeAll = () => [...others.map((path) => attempt("rmdir", text(path))), unlessAbsent("rmdir", text(last))];
  const rounds = PAUSES.flatMap((pause) => [...removeAll(), attempt("nanosleep", words(...pause), 0)]);
  // The other end of its standard input is ours, and nothing is ever written to it.
  return [attempt("read", 0, buffer(1), 1), ...rounds, ...removeAll()];
}
