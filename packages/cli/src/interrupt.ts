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

/**
 * Runs an action that cleans up after itself when its signal is aborted. The first SIGINT, SIGTERM or SIGHUP aborts it;
 * a second one ends the process as it would have without us.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (signal: NodeJS.Signals): void => {
    stopListening();
    controller.abort(new Interrupted(signal));
  };
  const stopListening = (): void => {
    for (const signal of signals) process.off(signal, abort);
  };
  for (const signal of signals) process.on(signal, abort);
  try {
    return await action(controller.signal);
  } finally {
    stopListening();
  }
}

/** Ends this process by the signal that interrupted it, so that a shell sees what it expects to see. */
export function endBy(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
