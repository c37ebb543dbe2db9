/** Asking again: a bounded number of attempts, within a bounded time, with growing and random waits between them. */
import { EndorserError } from "./endorser-error.ts";
import {
  askOnce,
  demandVendor,
  STATUS_OK,
  type VendorAnswer,
  type VendorFetch,
  type VendorRequest,
} from "./vendor-fetch.ts";

/** Waits. It ends early, in whatever way, when `signal` aborts, and must then hold no timer any more. */
export type Sleep = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** What asking needs of its surroundings; nothing here has a clock, a network or randomness of its own. */
export interface Surroundings {
  readonly fetch: VendorFetch;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** From 0 to below 1: spreads the attempts of many machines. */
  readonly random: () => number;
}

/** KDS answers the second request within some seconds with 429; four waits outlast that. */
const maxAttempts = 5;

/** One attempt: a CRL of some hundred KiB over a slow line. */
const attemptMilliseconds = 15_000;

/** All attempts and waits of one part together: what somebody at a keyboard waits for. */
const totalMilliseconds = 60_000;

/** The first wait; doubled for each further one, up to the longest. */
const firstWait = 1000;
const longestWait = 20_000;

/**
 * The answer with status 200.
 *
 * @throws EndorserError for anything else; TypeError for a place that is none of the vendors'.
 */
export async function ask(around: Surroundings, request: VendorRequest, signal: AbortSignal): Promise<VendorAnswer> {
  demandVendor(request);
  const late = outOfTime(request.field, totalMilliseconds);
  return within(around.sleep, totalMilliseconds, late, signal, (inner) => attempts(around, request, inner));
}

async function attempts(around: Surroundings, request: VendorRequest, signal: AbortSignal): Promise<VendorAnswer> {
  let waited = 0;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(around, request, signal);
    if (outcome.answer !== null) return outcome.answer;
    const wait = waitBefore(attempt, outcome.retryAfter, around.random());
    // A wait that cannot end in time is not begun: whoever asks hears of it now.
    if (signal.aborted || attempt === maxAttempts || waited + wait > totalMilliseconds) throw outcome.error;
    await around.sleep(wait, signal);
    if (signal.aborted) throw outcome.error;
    waited += wait;
  }
}

/** An answer, or a failure that another attempt may mend. */
type Outcome =
  | { readonly answer: VendorAnswer }
  | { readonly answer: null; readonly error: EndorserError; readonly retryAfter: number | null };

async function attemptOnce(around: Surroundings, request: VendorRequest, signal: AbortSignal): Promise<Outcome> {
  const late = outOfTime(request.field, attemptMilliseconds);
  const work = (inner: AbortSignal): Promise<VendorAnswer> => askOnce(around.fetch, request, inner);
  try {
    return judge(request, await within(around.sleep, attemptMilliseconds, late, signal, work), around.now());
  } catch (error) {
    if (error instanceof EndorserError && error.code !== "timeout") throw error;
    // Whatever `fetch` throws: what it says of the network differs from runtime to runtime, and is not repeated.
    const failure = error instanceof EndorserError ? error : noConnection(request.field);
    return { answer: null, error: failure, retryAfter: null };
  }
}

function judge({ field }: VendorRequest, answer: VendorAnswer, now: number): Outcome {
  const { status } = answer;
  if (status === STATUS_OK) return { answer };
  const facts = { field, expected: "status 200", actual: `status ${status}` };
  if (status === 429 || status >= 500) {
    const error = new EndorserError({ ...facts, code: status === 429 ? "throttled" : "unavailable" });
    return { answer: null, error, retryAfter: retryAfterOf(answer.header("retry-after"), now) };
  }
  throw new EndorserError({ ...facts, code: status === 404 || status === 410 ? "not-found" : "refused" });
}

function outOfTime(field: string, milliseconds: number): EndorserError {
  const expected = `a whole answer within ${milliseconds / 1000} s`;
  return new EndorserError({ code: "timeout", field, expected, actual: "none" });
}

function noConnection(field: string): EndorserError {
  return new EndorserError({
    code: "unreachable",
    field,
    expected: "an answer of the vendor",
    actual: "no connection",
  });
}

/** Half of the wait is fixed and half random, so that none is near zero. What the vendor asks for is the least. */
function waitBefore(attempt: number, retryAfter: number | null, random: number): number {
  const base = Math.min(longestWait, firstWait * 2 ** (attempt - 1));
  const wait = base / 2 + (base / 2) * random;
  return retryAfter === null ? wait : Math.max(wait, retryAfter);
}

const imfDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Retry-After (RFC 9110, 10.2.3) in milliseconds from `now`, seconds or a date; `null` for none, or another form. */
export function retryAfterOf(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = imfDate.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now * 1000);
}

/**
 * What `work` comes to, or `late` once the time is over. Whichever ends first, `work` is told by its signal, and no timer
 * is left behind. `signal` ends it too.
 */
async function within<T>(
  sleep: Sleep,
  milliseconds: number,
  late: EndorserError,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController();
  const end = (): void => inner.abort();
  if (signal.aborted) end();
  signal.addEventListener("abort", end);
  try {
    return await Promise.race([work(inner.signal), expiry(sleep, milliseconds, late, inner.signal)]);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

async function expiry(sleep: Sleep, milliseconds: number, late: EndorserError, signal: AbortSignal): Promise<never> {
  await sleep(milliseconds, signal).catch(() => undefined);
  throw late;
}
