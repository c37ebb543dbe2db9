/** How the demonstration ends: by itself, by a mistake, or because somebody says so. */
import { constants } from "node:os";

/** Aborted by the first signal that asks this process to end; its reason is that signal's name. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => controller.abort(name));
  return controller.signal;
}

/** The exit code of a process that a signal ended. */
export function exitCodeOf(signal: AbortSignal): number {
  return 128 + constants.signals[signal.reason as keyof typeof constants.signals];
}
