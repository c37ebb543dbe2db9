/** Collects what arrives while one batch is under way, and hands it on as the next. */
import { setImmediate, setTimeout } from "node:timers/promises";
import { AttesterError } from "./attester-error.ts";

export interface BatchQueueOptions<Item, Answer> {
  /** Answers all items with one use of the device; one answer for each, in their order. */
  readonly answer: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** Items of one batch. */
  readonly maxBatch: number;
  /** Items that may wait beside the batch under way; one more is refused. */
  readonly maxWaiting: number;
}

interface Waiter<Item, Answer> {
  readonly item: Item;
  readonly settled: PromiseWithResolvers<Answer>;
}

/**
 * Returns the function that asks: it resolves with the answer to that item. It rejects with {@link AttesterError} when
 * the queue is full, and with the reason of the whole batch when that failed.
 */
export function createBatchQueue<Item, Answer>(
  options: BatchQueueOptions<Item, Answer>,
): (item: Item) => Promise<Answer> {
  const waiting: Waiter<Item, Answer>[] = [];
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    // Everything that this turn of the event loop brings goes into the first batch.
    await setImmediate();
    while (waiting.length > 0) {
      await gather(waiting, options.maxBatch);
      await settle(waiting.splice(0, options.maxBatch), options.answer);
    }
    busy = false;
  }

  return (item) => {
    if (waiting.length >= options.maxWaiting) return Promise.reject(new AttesterError("queue-full"));
    const settled = Promise.withResolvers<Answer>();
    waiting.push({ item, settled });
    if (!busy) void work();
    return settled.promise;
  };
}

/** Milliseconds without a newcomer after which a crowd is complete. */
const quiet = 2;

/** How often the crowd may grow before it is answered all the same: nobody can hold the others back for long. */
const maxRounds = 25;

/** Where several wait, waits for those who come with them: one more report would cost them more. Who is alone never waits. */
async function gather(waiting: readonly unknown[], enough: number): Promise<void> {
  let before = 1;
  for (let round = 0; round < maxRounds && waiting.length > before && waiting.length < enough; round += 1) {
    before = waiting.length;
    await setTimeout(quiet);
  }
}

/** Callers answered in one turn of the event loop: what each does with its answer must not hold up all other traffic. */
const perTurn = 64;

/** Never rejects. */
async function settle<Item, Answer>(
  batch: readonly Waiter<Item, Answer>[],
  answer: BatchQueueOptions<Item, Answer>["answer"],
): Promise<void> {
  try {
    const answers = await answer(batch.map(({ item }) => item));
    for (const [index, each] of answers.entries()) {
      if (index > 0 && index % perTurn === 0) await setImmediate();
      batch[index]?.settled.resolve(each);
    }
    if (answers.length < batch.length) throw new RangeError("fewer answers than items");
  } catch (reason) {
    for (const { settled } of batch) settled.reject(reason);
  }
}
