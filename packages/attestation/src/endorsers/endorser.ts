/** Fetches the Endorsements of a machine: for a box that staples them, and for the command line. Never for a Verifier. */
import { fromBase64url, jsonString, type JsonValue } from "@blindbox/encoding";
import { bytesOf, exactMembers, word } from "../arguments.ts";
import type { EndorsementCache } from "./cache.ts";
import type { EndorsementsDocument } from "./document.ts";
import { EndorserError } from "./endorser-error.ts";
import type { IntelUpdate } from "./intel-pcs.ts";
import { adopt, obtain, recall, type Obtained, type Obtaining } from "./obtain.ts";
import type { Dated, Part, Plan } from "./part.ts";
import { planFor, type AmdSource, type Given, type Sources } from "./plan.ts";
import type { Surroundings } from "./retry.ts";
import { shareWork } from "./shared-work.ts";
import type { EndorsementSubject } from "./subject.ts";

/** What an Endorser is made of. Every member is required. */
export interface EndorserOptions extends Surroundings {
  readonly cache: EndorsementCache;
  readonly amdSource: AmdSource;
  readonly intelUpdate: IntelUpdate;
}

/** The Endorsements of one machine, and where each part came from. */
export interface FetchedEndorsements {
  readonly subject: EndorsementSubject;
  /** In the form that the Verifier of that TEE reads. */
  readonly endorsements: JsonValue;
  readonly parts: readonly Obtained[];
  /** The dates of all that is in it, of what was given first. They may be past: an Endorser judges nothing. */
  readonly dated: readonly Dated[];
}

/** Fetches Endorsements, and keeps them. It judges nothing: a Verifier does, by its own policy and clock. */
export interface Endorser {
  /**
   * The Endorsements of a machine: all parts, or none. Each part is asked for at most five times and one minute; requests
   * for the same part at the same time are one. A part that its vendor does not give is taken from the cache while it is
   * valid, and says so.
   *
   * @throws EndorserError naming every member that is missing; TypeError where more is given than that TEE has.
   */
  fetch(subject: EndorsementSubject, given: Given, signal?: AbortSignal): Promise<FetchedEndorsements>;
  /**
   * The same from the cache alone, with no network.
   *
   * @throws EndorserError `missing` naming every member that is not there, or not valid any more.
   */
  recall(subject: EndorsementSubject, given: Given): Promise<FetchedEndorsements>;
  /**
   * Puts the parts of a document into the cache. Returns the members that were taken: not those that are not valid now, or
   * that the cache has of a later day.
   */
  keep(document: EndorsementsDocument): Promise<readonly string[]>;
}

const optionNames = ["fetch", "now", "sleep", "random", "cache", "amdSource", "intelUpdate"] as const;

/**
 * Makes an Endorser.
 *
 * @throws TypeError naming the option that is missing, unknown or not what it has to be.
 * @example
 * const endorser = createEndorser({
 *   fetch, now: () => Date.now() / 1000, sleep, random: Math.random,
 *   cache: memoryCache(), amdSource: "kds", intelUpdate: "default",
 * });
 * const { endorsements } = await endorser.fetch(subject, { ek: null, uvm: null });
 */
export function createEndorser(options: EndorserOptions): Endorser {
  const sources = readSources(options);
  const around: Obtaining = { ...options, share: shareWork<Obtained>(() => aborted()) };
  return {
    fetch: async (subject, given, signal = new AbortController().signal) => {
      const plan = planFor(subject, readGiven(given), sources);
      return assemble(subject, plan, (part) => obtain(part, around, signal));
    },
    recall: async (subject, given) => {
      const plan = planFor(subject, readGiven(given), sources);
      return assemble(subject, plan, (part) => fromCache(part, around));
    },
    keep: (document) => keepDocument(document, sources, around),
  };
}

function readSources(options: unknown): Sources {
  const members = exactMembers(options, "options", optionNames);
  for (const name of ["fetch", "now", "sleep", "random"]) {
    if (typeof members[name] !== "function") throw new TypeError(`options.${name}: expected a function`);
  }
  const update = members["intelUpdate"];
  const isNumber = typeof update === "number" && Number.isSafeInteger(update) && update >= 0;
  const intelUpdate = isNumber
    ? update
    : word(update, "options.intelUpdate", ["default", "standard", "early"] as const);
  return { amdSource: word(members["amdSource"], "options.amdSource", ["kds", "thim"] as const), intelUpdate };
}

function readGiven(value: unknown): Given {
  const { ek = null, uvm = null } = exactMembers(value, "given", ["ek", "uvm"]);
  return {
    ek: ek === null ? null : bytesOf(ek, "given.ek"),
    uvm: uvm === null ? null : bytesOf(uvm, "given.uvm"),
  };
}

function aborted(): EndorserError {
  return new EndorserError({
    code: "aborted",
    field: "endorsements",
    expected: "time to fetch them",
    actual: "an end",
  });
}

async function assemble(
  subject: EndorsementSubject,
  plan: Plan,
  get: (part: Part) => Promise<Obtained>,
): Promise<FetchedEndorsements> {
  const outcomes = await Promise.allSettled(plan.parts.map(get));
  const parts = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const reasons = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  if (reasons.length > 0) throw incomplete(plan, parts, reasons);
  const endorsements = Object.assign({}, plan.given, ...parts.map(({ fragment }) => fragment)) as JsonValue;
  const dated = [...plan.givenDated, ...parts.flatMap((part) => part.dated)];
  return { subject, endorsements, parts, dated };
}

/** The first failure, with the names of all members that did not come. A fault of ours goes first. */
function incomplete(plan: Plan, parts: readonly Obtained[], reasons: readonly unknown[]): unknown {
  const fault = reasons.find((reason) => !(reason instanceof EndorserError));
  if (fault !== undefined) return fault;
  const came = parts.flatMap(({ members }) => members);
  const missing = plan.parts.flatMap(({ members }) => members).filter((member) => !came.includes(member));
  const [first] = reasons as readonly EndorserError[];
  return first === undefined ? aborted() : new EndorserError(first, missing);
}

async function fromCache(part: Part, { cache, now }: Obtaining): Promise<Obtained> {
  const kept = await recall(part, cache, now());
  if (kept !== null) return kept.obtained;
  const hint = "fetch the Endorsements where there is a network, or import a document that was made elsewhere";
  const facts = { field: part.request.field, expected: "a valid part in the cache", actual: "none", hint };
  throw new EndorserError({ code: "missing", ...facts });
}

async function keepDocument(
  { subject, endorsements }: EndorsementsDocument,
  sources: Sources,
  { cache, now }: Obtaining,
): Promise<readonly string[]> {
  const { parts } = planFor(subject, unaddressed(subject, endorsements), sources);
  const taken: string[] = [];
  for (const part of parts) {
    if (await adopt(part, endorsements, cache, now())) taken.push(...part.members);
  }
  return taken;
}

/** What no vendor has an address for, and so no cache a key: a VLEK, and what endorses a utility VM. */
function unaddressed(subject: EndorsementSubject, { ek }: EndorsementsDocument["endorsements"]): Given {
  const isVlek = subject.tee === "sev-snp" && subject.key === "vlek";
  return { ek: isVlek ? fromBase64url(jsonString(ek, "ek"), "ek") : null, uvm: null };
}
