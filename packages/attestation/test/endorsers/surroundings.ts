/** What an Endorser is given in tests: a clock that moves only when everybody waits, and vendors that answer as told. */
import { setImmediate } from "node:timers/promises";
import {
  createEndorser,
  memoryCache,
  type Endorser,
  type EndorserOptions,
  type VendorFetch,
} from "@blindbox/attestation/endorsers";
import { NOW } from "../vendor.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock of its own; `milliseconds` is what has passed since {@link NOW}. */
export interface VirtualTime {
  milliseconds: number;
  /** Every wait that was begun and not ended early, with its length. */
  readonly slept: number[];
  /** Timers that nobody ended. */
  readonly open: () => number;
  readonly sleep: EndorserOptions["sleep"];
  readonly now: () => number;
  /** Waits for `work`, and lets time pass whenever nothing else happens. */
  readonly pass: <T>(work: Promise<T>) => Promise<T>;
}

/** Enough turns of the event loop for a body to be read. */
const turns = 8;

export function virtualTime(): VirtualTime {
  const sleepers = new Set<Sleeper>();
  const slept: number[] = [];
  const time: VirtualTime = {
    milliseconds: 0,
    slept,
    open: () => sleepers.size,
    now: () => NOW + time.milliseconds / 1000,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const sleeper = { at: time.milliseconds + milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          resolve();
        });
      }),
    pass: async (work) => {
      let settled = false;
      const end = (): void => {
        settled = true;
      };
      work.then(end, end);
      for (;;) {
        for (let turn = 0; turn < turns; turn += 1) await setImmediate();
        if (settled) return work;
        const next = [...sleepers].toSorted((one, other) => one.at - other.at)[0];
        if (next === undefined) throw new Error("nobody waits for time, and nothing happens");
        slept.push(next.at - time.milliseconds);
        time.milliseconds = Math.max(time.milliseconds, next.at);
        sleepers.delete(next);
        next.wake();
      }
    },
  };
  return time;
}

/** How a vendor answers; `signal` is the request's. */
export type Answer = (signal: AbortSignal) => Response | Promise<Response>;

/** What was asked of the vendors. */
export interface Asked {
  readonly url: string;
  readonly init: Parameters<VendorFetch>[1];
}

export interface FakeVendors {
  readonly fetch: VendorFetch;
  readonly asked: Asked[];
}

/** Answers each URL by its list, the last of it again and again; an unknown URL has no connection. */
export function fakeVendors(routes: Readonly<Record<string, readonly Answer[]>>): FakeVendors {
  const asked: Asked[] = [];
  const left = new Map(Object.entries(routes).map(([url, answers]) => [url, [...answers]]));
  return {
    asked,
    fetch: async (url, init) => {
      asked.push({ url, init });
      const answers = left.get(url) ?? [];
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined) throw new TypeError("fetch failed");
      return answer(init.signal);
    },
  };
}

export function body(content: Uint8Array | string, headers: Readonly<Record<string, string>> = {}): Answer {
  return () => new Response(typeof content === "string" ? content : new Uint8Array(content), { headers });
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return () => new Response("<html>not the body of anything</html>", { status: code, headers });
}

export const noConnection: Answer = () => Promise.reject(new TypeError("fetch failed"));

/** Never answers, and ends when it is told to. */
export const silence: Answer = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

/** An Endorser with all that it needs, but for what a test changes. */
export function endorserWith(
  vendors: FakeVendors,
  time: VirtualTime,
  options: Partial<EndorserOptions> = {},
): Endorser {
  return createEndorser({
    fetch: vendors.fetch,
    now: time.now,
    sleep: time.sleep,
    random: () => 0.5,
    cache: memoryCache(),
    amdSource: "kds",
    intelUpdate: "default",
    ...options,
  });
}

/** What `work` was refused with. */
export async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "no refusal",
    (error: unknown) => error,
  );
}
