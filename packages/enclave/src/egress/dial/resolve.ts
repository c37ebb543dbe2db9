/** Addresses of allowed names, asked for only when one is dialled, and kept no longer than their owner says. */
import { Resolver } from "node:dns/promises";
import { within } from "../../within.ts";
import { EgressError } from "../errors.ts";

export type Family = 4 | 6;

export interface ResolveLimits {
  /** Milliseconds for one answer, all tries together. */
  readonly answer: number;
  /** Shortest and longest time for which an answer is kept, in seconds, whatever its owner says. */
  readonly minTtl: number;
  readonly maxTtl: number;
  /** Answers that are kept. */
  readonly answers: number;
  /** Addresses of one answer that are looked at. */
  readonly addresses: number;
}

// Failures are kept for the shortest time, so that an application that asks in a loop asks the network once a second.
export const resolveLimits: ResolveLimits = Object.freeze({
  answer: 5_000,
  minTtl: 1,
  maxTtl: 300,
  answers: 1024,
  addresses: 32,
});

/** One lookup of the network's DNS; TTL in seconds. */
export type Lookup = (name: string, family: Family) => Promise<readonly { address: string; ttl: number }[]>;

/**
 * The addresses of a name in one family as DNS has them, judged by nobody; empty where it has none.
 *
 * @throws EgressError `refused-resolution` where DNS gave no answer.
 */
export type Resolve = (name: string, family: Family) => Promise<readonly string[]>;

export interface ResolveOptions {
  readonly lookup: Lookup;
  /** Milliseconds. */
  readonly now: () => number;
  /** Left out: {@link resolveLimits}. */
  readonly limits?: ResolveLimits;
}

interface Kept {
  /** Null: there was no answer. */
  readonly addresses: readonly string[] | null;
  readonly from: number;
  readonly until: number;
}

/** Remembers answers, and has those who ask at once wait for the same one. */
export function createResolve({ lookup, now, limits = resolveLimits }: ResolveOptions): Resolve {
  const kept = new Map<string, Kept>();
  const pending = new Map<string, Promise<Kept>>();
  const ask = async (name: string, family: Family): Promise<Kept> => {
    const found = await answerOf(lookup, name, family, limits);
    const from = now();
    return { addresses: found.addresses, from, until: from + 1000 * found.ttl };
  };
  const renew = async (key: string, name: string, family: Family): Promise<Kept> => {
    const answer = await ask(name, family).finally(() => pending.delete(key));
    kept.delete(key);
    kept.set(key, answer);
    const [oldest] = kept.size > limits.answers ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    return answer;
  };
  const find = (key: string, name: string, family: Family): Kept | Promise<Kept> => {
    const last = kept.get(key);
    if (last !== undefined && isFresh(last, now())) return last;
    const running = pending.get(key) ?? renew(key, name, family);
    pending.set(key, running);
    return running;
  };
  return async (name, family) => {
    const { addresses } = await find(`${family} ${name}`, name, family);
    if (addresses === null) throw new EgressError("refused-resolution");
    return addresses;
  };
}

// A clock that went back says nothing of how long ago that was.
function isFresh({ from, until }: Kept, time: number): boolean {
  return time >= from && time < until;
}

async function answerOf(
  lookup: Lookup,
  name: string,
  family: Family,
  limits: ResolveLimits,
): Promise<{ readonly addresses: readonly string[] | null; readonly ttl: number }> {
  try {
    const records = (await within(limits.answer, lookup(name, family))).slice(0, limits.addresses);
    if (records.length === 0) return { addresses: [], ttl: limits.minTtl };
    const ttl = Math.min(...records.map((record) => record.ttl), limits.maxTtl);
    return { addresses: records.map(({ address }) => address), ttl: Math.max(ttl, limits.minTtl) };
  } catch (error) {
    return { addresses: isEmpty(error) ? [] : null, ttl: limits.minTtl };
  }
}

/** The name exists, and has no address in this family. */
function isEmpty(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENODATA";
}

/**
 * Asks by DNS, never by the machine's list of hosts.
 *
 * @param servers `address` or `address:port` each; null: those of the machine.
 * @throws TypeError where one is no address.
 */
export function createLookup(servers: readonly string[] | null): Lookup {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers !== null) resolver.setServers(servers);
  return (name, family) =>
    family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true });
}
