/** The keys that an issuer publishes at one URL: read when a token needs them, kept, and read again now and then. */
import { fromUtf8 } from "@blindbox/encoding";
import { type Jwk, jwkThumbprint, publishedKeys } from "@blindbox/manifest";
import type { EmitEvent } from "../../parts.ts";
import { parseTokenJson } from "./token-json.ts";

/** A key by which tokens are verified. */
export interface SigningKey {
  readonly jwk: Jwk;
  readonly thumbprint: string;
}

/** Milliseconds. */
export interface RefreshLimits {
  /** Between two requests at least, however many tokens of unknown keys come; doubled with each failure in a row. */
  readonly shortest: number;
  /** What the doubling stops at. */
  readonly longest: number;
  /** From a set on until it is asked for again, where tokens come at all: how soon a key that is withdrawn is out. */
  readonly stale: number;
}

// An issuer that publishes a key before it uses it is never met with the minute.
export const refreshLimits: RefreshLimits = Object.freeze({ shortest: 60_000, longest: 960_000, stale: 600_000 });

/** What a set is made of. */
export interface PublishedSetOptions {
  readonly url: string;
  /** All keys that count, of whichever issuer. */
  readonly thumbprints: ReadonlySet<string>;
  /** Resolves with the bytes of what is published; bounds their number and the time. */
  readonly readKeys: (url: string) => Promise<Uint8Array>;
  readonly onEvent: EmitEvent;
  /** Milliseconds of a clock that never goes back. The host sets the other one. */
  readonly monotonic: () => number;
  /** Left out: {@link refreshLimits}. */
  readonly limits?: RefreshLimits;
}

/** Pinned keys of one URL. */
export interface PublishedSet {
  /** Those that were published when the set was last read; none before. */
  keys(): readonly SigningKey[];
  /**
   * Reads the set for a token that no known key verifies. Resolves, always, when that is over; null where it was asked for
   * too short a time ago. Whoever comes while it is under way waits for the same request.
   */
  refresh(): Promise<void> | null;
  /** Reads it where what is known is old; nobody waits. */
  refreshStale(): void;
}

/**
 * Nothing is asked before the first token. When the next request may start depends on the clock alone: callers can bring
 * it about no sooner, whatever they send. A failure changes nothing of what is known, and what is published replaces it.
 */
export function createPublishedSet(options: PublishedSetOptions): PublishedSet {
  const { onEvent, monotonic, limits = refreshLimits } = options;
  let keys: readonly SigningKey[] = [];
  let failures = 0;
  let running: Promise<void> | null = null;
  let nextAt = Number.NEGATIVE_INFINITY;
  let staleAt = Number.POSITIVE_INFINITY;
  const succeed = (found: readonly SigningKey[]): void => {
    keys = found;
    failures = 0;
    staleAt = monotonic() + limits.stale;
  };
  const run = async (): Promise<void> => {
    const found = await readSet(options);
    if (found === null) failures += 1;
    else succeed(found);
    nextAt = monotonic() + Math.min(limits.longest, limits.shortest * 2 ** Math.max(0, failures - 1));
    running = null;
    onEvent({ event: "token-keys", read: found !== null, known: keys.length });
  };
  const refresh = (): Promise<void> | null => {
    if (running !== null) return running;
    if (monotonic() < nextAt) return null;
    running = run();
    return running;
  };
  return {
    keys: () => keys,
    refresh,
    refreshStale() {
      if (monotonic() >= staleAt) void refresh();
    },
  };
}

/** Null where there was no answer, or no JWK set in it. */
async function readSet({ url, thumbprints, readKeys }: PublishedSetOptions): Promise<readonly SigningKey[] | null> {
  try {
    const text = fromUtf8(await readKeys(url));
    const published = publishedKeys(parseTokenJson(text));
    return published === null ? null : await pinned(published, thumbprints);
  } catch {
    // The way out has written down why it gave no answer; and text of no strict JSON is whatever it likes to be.
    return null;
  }
}

/** The first key of each thumbprint: a set that repeats one must not cost a signature check for each time. */
async function pinned(published: readonly Jwk[], thumbprints: ReadonlySet<string>): Promise<readonly SigningKey[]> {
  const named = await Promise.all(published.map(async (jwk) => ({ jwk, thumbprint: await jwkThumbprint(jwk) })));
  const first = new Map<string, SigningKey>();
  for (const key of named) {
    if (thumbprints.has(key.thumbprint) && !first.has(key.thumbprint)) first.set(key.thumbprint, key);
  }
  return [...first.values()];
}
