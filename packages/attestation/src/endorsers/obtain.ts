/** One part of the Endorsements: from the cache while it is fresh, else from its vendor, and from the cache where that fails. */
import { EncodingError } from "@blindbox/encoding";
import type { CachedPart, EndorsementCache, Fragment } from "./cache.ts";
import { EndorserError } from "./endorser-error.ts";
import { expiryOf, issueOf, type Dated, type Part } from "./part.ts";
import { ask, type Surroundings } from "./retry.ts";
import type { ShareWork } from "./shared-work.ts";
import { readAnswer } from "./vendor-fetch.ts";

/** A part that came, and from where. */
export interface Obtained {
  /** Names of the Endorsements' members that it holds. */
  readonly members: readonly string[];
  readonly fragment: Fragment;
  readonly dated: readonly Dated[];
  readonly from: "vendor" | "cache";
  /** Why the vendor's answer was not used, where it was asked and the cache stood in. */
  readonly failure: EndorserError | null;
}

/** What obtaining needs: surroundings, a cache, and who else asks at the same time. */
export interface Obtaining extends Surroundings {
  readonly cache: EndorsementCache;
  readonly share: ShareWork<Obtained>;
}

/** A part is asked for anew once this much of its life is left, but at most a week before its end. */
const lastPart = 0.1;
const week = 7 * 86_400;

/** Gets a part. @throws EndorserError where neither vendor nor cache has it. */
export async function obtain(part: Part, around: Obtaining, signal: AbortSignal): Promise<Obtained> {
  const now = around.now();
  const kept = await recall(part, around.cache, now);
  if (kept !== null && isFresh(part, kept, now)) return kept.obtained;
  try {
    return await around.share(part.key, signal, (inner) => refresh(part, around, inner));
  } catch (error) {
    if (kept === null || signal.aborted || !(error instanceof EndorserError)) throw error;
    return { ...kept.obtained, failure: error };
  }
}

/** A kept part that is still of use. */
export interface Kept {
  readonly obtained: Obtained;
  readonly fetched: number;
}

/** What the cache has of a part that is valid at `now`; `null` for nothing, or what cannot be read any more. */
export async function recall(part: Part, cache: EndorsementCache, now: number): Promise<Kept | null> {
  const kept = await cache.get(part.key);
  const dated = kept === null ? null : tryCheck(part, kept.fragment);
  if (kept === null || dated === null || !isValid(dated, now)) return null;
  const fragment = pick(part.members, kept.fragment);
  return { obtained: { members: part.members, fragment, dated, from: "cache", failure: null }, fetched: kept.fetched };
}

function tryCheck(part: Part, fragment: Fragment): readonly Dated[] | null {
  try {
    return part.check(fragment);
  } catch (error) {
    if (error instanceof EncodingError || error instanceof EndorserError) return null;
    throw error;
  }
}

function isValid(dated: readonly Dated[], now: number): boolean {
  return dated.every(({ issued, expires }) => issued <= now && now <= expires);
}

// A part from the future was kept under another clock: which of the two was right is not known, so it is asked for again.
function isFresh({ keepSeconds }: Part, { fetched, obtained }: Kept, now: number): boolean {
  const [issued, expires] = [issueOf(obtained.dated), expiryOf(obtained.dated)];
  const margin = Math.min(week, (expires - issued) * lastPart);
  return fetched <= now && now < fetched + keepSeconds && now < expires - margin;
}

async function refresh(part: Part, around: Obtaining, signal: AbortSignal): Promise<Obtained> {
  const answer = await ask(around, part.request, signal);
  const { fragment, dated } = readAnswer(part.request.field, () => {
    const members = part.read(answer);
    return { fragment: members, dated: part.check(members) };
  });
  const now = around.now();
  // What is not valid by this clock is passed on and not kept: the vendor is late, or the clock wrong, as a Verifier will say.
  if (isValid(dated, now)) await around.cache.put(part.key, entryOf(fragment, dated, now));
  return { members: part.members, fragment, dated, from: "vendor", failure: null };
}

function entryOf(fragment: Fragment, dated: readonly Dated[], now: number): CachedPart {
  return { fragment, fetched: Math.floor(now), notAfter: expiryOf(dated) };
}

/** The members of that name. */
export function pick(members: readonly string[], from: Fragment): Fragment {
  return Object.fromEntries(
    members.flatMap((name) => {
      const value = Object.hasOwn(from, name) ? from[name] : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Puts part of a document into the cache, unless what is there is valid and was issued later. Returns whether it did. */
export async function adopt(part: Part, from: Fragment, cache: EndorsementCache, now: number): Promise<boolean> {
  const fragment = pick(part.members, from);
  const dated = readAnswer(part.request.field, () => part.check(fragment));
  const kept = await recall(part, cache, now);
  if (!isValid(dated, now) || (kept !== null && ownIssue(kept.obtained.dated) > ownIssue(dated))) return false;
  await cache.put(part.key, entryOf(fragment, dated, now));
  return true;
}

// The content's own date stands first; certificates behind it may be younger than what they signed.
function ownIssue([own]: readonly Dated[]): number {
  return own?.issued ?? 0;
}
