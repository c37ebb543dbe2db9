import type { EventEmitter } from "node:events";
import { fileReason } from "./files.ts";
import { CliError } from "./output/failure.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What an action is told when somebody asks the process to end. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.name = "Interrupted";
    this.signal = signal;
  }
}

/** What an action is told when nothing more can be written for whoever started it. */
export class OutputLost extends CliError {
  /** Whoever read it went away (`blindbox … | head`): nobody is left to be told, and nothing is wrong. */
  readonly readerGone: boolean;

  constructor(stream: string, error: NodeJS.ErrnoException) {
    super({
      what: stream,
      expected: "a place that takes what is written",
      actual: fileReason(error) ?? "one that does not",
      hint: "what was to be written there is lost",
    });
    this.name = "OutputLost";
    this.readerGone = error.code === "EPIPE";
  }
}

/** Like a signal, it concerns the whole process: whoever has something to clean up listens there. */
const announcements: EventEmitter = process;
const outputLost = "blindbox:output-lost";

/** Aborts what runs in {@link interruptible}; false where nothing does. */
export function interruptBy(reason: OutputLost): boolean {
  return announcements.emit(outputLost, reason);
}

/**
 * Runs an action that cleans up after itself when its signal is aborted. The first SIGINT, SIGTERM or SIGHUP aborts it, and
 * so does the loss of the process's output; a second signal ends the process as it would have without us.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (signal: NodeJS.Signals): void => {
    stopListening();
    controller.abort(new Interrupted(signal));
  };
  const abortQuietly = (reason: OutputLost): void => controller.abort(reason);
  const stopListening = (): void => {
    for (const signal of signals) process.off(signal, abort);
  };
  for (const signal of signals) process.on(signal, abort);
  announcements.on(outputLost, abortQuietly);
  try {
    return await action(controller.signal);
  } finally {
    stopListening();
    announcements.off(outputLost, abortQuietly);
  }
}

/** Ends this process by the signal that interrupted it, so that a shell sees what it expects to see. */
export function endBy(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
