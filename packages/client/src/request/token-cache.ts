import type { TokenSource } from "../options/options.ts";
import { expiryOf, isToken } from "./token.ts";

/** Gives the token to send now. Rejects with what the caller's function threw, or a TypeError for what is no token. */
export type TokenCache = () => Promise<string>;

/** Before its end a token is not sent any more: it has to arrive, and to be verified by another clock. Seconds. */
const margin = 60;

interface Held {
  readonly token: string;
  /** Seconds since 1970; null: for one request only. */
  readonly goodUntil: number | null;
}

/**
 * Keeps the token of a function until it is about to expire by `now`. The function is not called before the first token is
 * asked for, and never a second time while it is at work.
 */
export function createTokenCache(source: TokenSource, now: () => Date): TokenCache {
  if (typeof source === "string") return async () => source;
  let held: Held | null = null;
  let running: Promise<Held> | null = null;
  const renew = async (): Promise<Held> => {
    held = hold(await source(), seconds(now));
    return held;
  };
  return async () => {
    if (held !== null && held.goodUntil !== null && seconds(now) < held.goodUntil) return held.token;
    running ??= renew().finally(() => {
      running = null;
    });
    return (await running).token;
  };
}

function seconds(now: () => Date): number {
  return Math.floor(now().getTime() / 1000);
}

function hold(token: unknown, now: number): Held {
  if (typeof token !== "string" || !isToken(token)) {
    throw new TypeError("options.credentials.token must return a JWT in compact form");
  }
  const expiry = expiryOf(token);
  return { token, goodUntil: expiry === null ? null : expiry - Math.min(margin, (expiry - now) / 2) };
}
