/** Opens the box's own connections: to an address that it resolved and judged itself, never to a name. */
import { connect, type Socket } from "node:net";
import type { Destination, Dialer } from "../contract.ts";
import { EgressError } from "../errors.ts";
import type { IsPublic } from "./classify.ts";
import type { Family, Resolve } from "./resolve.ts";

export interface DialLimits {
  /** Milliseconds from the wish to the open connection, resolving included. */
  readonly deadline: number;
  /** Milliseconds for one address. */
  readonly attempt: number;
  /** Addresses that are tried in each family. */
  readonly attempts: number;
}

export const dialLimits: DialLimits = Object.freeze({ deadline: 15_000, attempt: 5_000, attempts: 3 });

export interface DialerOptions {
  readonly resolve: Resolve;
  readonly isPublic: IsPublic;
  /** Left out: {@link dialLimits}. */
  readonly limits?: DialLimits;
}

const families: readonly Family[] = [4, 6];

/**
 * Dials what rules allow. Addresses that are not public are refused: those that a name leads to, and those that a rule
 * writes down just as well, since whoever wrote it cannot know what stands there in the network where the box runs.
 */
export function createDialer(options: DialerOptions): Dialer {
  const limits = options.limits ?? dialLimits;
  return {
    dial: (destination) => beforeDeadline(limits.deadline, (signal) => dial(options, limits, destination, signal)),
  };
}

async function dial(
  { resolve, isPublic }: DialerOptions,
  limits: DialLimits,
  { name, address, port }: Destination,
  signal: AbortSignal,
): Promise<Socket> {
  const refusals: EgressError[] = [];
  for (const family of name === null ? families.slice(0, 1) : families) {
    try {
      const addresses = name === null ? literal(address) : await resolve(name, family);
      const allowed = demandPublic(addresses, isPublic).slice(0, limits.attempts);
      return await connectToFirst(allowed, port, limits.attempt, signal);
    } catch (error) {
      refusals.push(asRefusal(error));
    }
    signal.throwIfAborted();
  }
  throw gravest(refusals);
}

function literal(address: string | null): readonly string[] {
  return address === null ? [] : [address];
}

/** @throws EgressError `refused-address-not-public` where there are addresses, and no public one. */
function demandPublic(addresses: readonly string[], isPublic: IsPublic): readonly string[] {
  if (addresses.length === 0) throw new EgressError("refused-resolution");
  const allowed = addresses.filter(isPublic);
  if (allowed.length === 0) throw new EgressError("refused-address-not-public");
  return allowed;
}

async function connectToFirst(
  addresses: readonly string[],
  port: number,
  ms: number,
  signal: AbortSignal,
): Promise<Socket> {
  const refusals: EgressError[] = [];
  for (const address of addresses) {
    try {
      return await connectTo(address, port, AbortSignal.any([signal, AbortSignal.timeout(ms)]));
    } catch (error) {
      refusals.push(asRefusal(error));
    }
    signal.throwIfAborted();
  }
  throw gravest(refusals);
}

async function connectTo(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: address, port, noDelay: true });
  const giveUp = (): void => reject(new EgressError("refused-upstream-timeout"));
  socket.once("connect", resolve).on("error", () => reject(new EgressError("refused-unreachable")));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/** What tells most of the way: that an address was refused, then how far the box got. */
const gravity: readonly EgressError["code"][] = [
  "refused-address-not-public",
  "refused-upstream-timeout",
  "refused-unreachable",
  "refused-resolution",
];

function gravest(refusals: readonly EgressError[]): EgressError {
  const found = gravity.flatMap((code) => refusals.find((refusal) => refusal.code === code) ?? []);
  return found[0] ?? new EgressError("refused-fault");
}

function asRefusal(error: unknown): EgressError {
  return error instanceof EgressError ? error : new EgressError("refused-fault");
}

/** Resolves or rejects by the deadline. `open` must open nothing after its signal, and leave nothing open. */
async function beforeDeadline(ms: number, open: (signal: AbortSignal) => Promise<Socket>): Promise<Socket> {
  const late = new AbortController();
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const refusal = new EgressError("refused-upstream-timeout");
    late.abort(refusal);
    reject(refusal);
  }, ms);
  try {
    return await Promise.race([open(late.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}
