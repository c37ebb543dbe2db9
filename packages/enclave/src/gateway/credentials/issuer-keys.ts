/** All keys of each issuer: those that stand in the Manifest, and those that it pins and the issuer publishes. */
import type { TokenIssuer } from "@blindbox/manifest";
import { createPublishedSet, type PublishedSet, type PublishedSetOptions, type SigningKey } from "./published-set.ts";

/** The keys of one issuer's tokens, as far as they are known now. */
export interface IssuerKeys {
  all(): readonly SigningKey[];
  /** Is a key of this thumbprint among them? */
  includes(thumbprint: string): boolean;
  /** As `PublishedSet.refresh`, for every set of this issuer; null where there is nothing to wait for. */
  refresh(): Promise<void> | null;
  refreshStale(): void;
}

/** What published sets are read by. */
export type KeyReading = Pick<PublishedSetOptions, "readKeys" | "onEvent" | "monotonic" | "limits">;

/** By name of the issuer. A URL that several issuers have in common is read once for all of them. */
export function createIssuerKeys(
  issuers: readonly TokenIssuer[],
  reading: KeyReading,
): ReadonlyMap<string, IssuerKeys> {
  const sets = createSets(issuers, reading);
  return new Map(issuers.map((issuer) => [issuer.issuer, keysOf(issuer, sets)]));
}

type Sets = ReadonlyMap<string, PublishedSet>;

function createSets(issuers: readonly TokenIssuer[], reading: KeyReading): Sets {
  const counting = new Map<string, Set<string>>();
  for (const { url, thumbprints } of issuers.flatMap(({ pinned }) => pinned)) {
    counting.set(url, new Set([...(counting.get(url) ?? []), ...thumbprints]));
  }
  return new Map(
    Array.from(counting, ([url, thumbprints]) => [url, createPublishedSet({ ...reading, url, thumbprints })]),
  );
}

function keysOf({ inline, pinned }: TokenIssuer, sets: Sets): IssuerKeys {
  const own = [...new Set(pinned.map(({ url }) => url))].flatMap((url) => sets.get(url) ?? []);
  // Another issuer at the same URL may have pinned other keys of it.
  const counting = new Set(pinned.flatMap(({ thumbprints }) => thumbprints));
  const published = (): readonly SigningKey[] =>
    own.flatMap((set) => set.keys()).filter(({ thumbprint }) => counting.has(thumbprint));
  const all = (): readonly SigningKey[] => (own.length === 0 ? inline : [...inline, ...published()]);
  const inlineNames = new Set(inline.map(({ thumbprint }) => thumbprint));
  return {
    all,
    includes: (name) => inlineNames.has(name) || published().some(({ thumbprint }) => thumbprint === name),
    refresh() {
      const running = own.map((set) => set.refresh()).filter((each) => each !== null);
      return running.length === 0 ? null : allOf(running);
    },
    refreshStale: () => own.forEach((set) => set.refreshStale()),
  };
}

async function allOf(running: readonly Promise<void>[]): Promise<void> {
  await Promise.all(running);
}
