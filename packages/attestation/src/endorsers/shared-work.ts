/** One piece of work for all who ask for it at the same time. */

/** Starts `start` under `key`, or joins the one that runs. It is told to end once nobody waits for it any more. */
export type ShareWork<T> = (key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>) => Promise<T>;

interface Work<T> {
  readonly result: Promise<T>;
  readonly end: AbortController;
  waiting: number;
}

/** Remembers what runs, and nothing of what has ended. */
export function shareWork<T>(aborted: () => Error): ShareWork<T> {
  const running = new Map<string, Work<T>>();
  const begin = (key: string, start: (signal: AbortSignal) => Promise<T>): Work<T> => {
    const end = new AbortController();
    const forget = (): void => {
      if (running.get(key) === work) running.delete(key);
    };
    const work: Work<T> = { result: start(end.signal), end, waiting: 0 };
    // The last one that leaves, with a result or without, ends it: whoever comes then must not join.
    end.signal.addEventListener("abort", forget);
    running.set(key, work);
    return work;
  };
  return async (key, signal, start) => {
    if (signal.aborted) throw aborted();
    return join(running.get(key) ?? begin(key, start), signal, aborted);
  };
}

async function join<T>(work: Work<T>, signal: AbortSignal, aborted: () => Error): Promise<T> {
  let leave = (): void => undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(aborted());
  });
  work.waiting += 1;
  signal.addEventListener("abort", leave);
  try {
    return await Promise.race([work.result, left]);
  } finally {
    signal.removeEventListener("abort", leave);
    work.waiting -= 1;
    if (work.waiting === 0) work.end.abort();
  }
}
