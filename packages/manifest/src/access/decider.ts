import type { Manifest } from "../manifest.ts";
import { readTarget } from "../target.ts";
import { passedOverrides, principalUnder } from "./admitting.ts";
import { indexCallers } from "./caller-lookup.ts";
import type { PresentedFacts } from "./facts.ts";
import { isReservedPath } from "./paths.ts";
import { ANONYMOUS, factorsOf, type Principal } from "./principal.ts";
import type { AccessRule, Limits } from "./rule.ts";
import { indexRules } from "./rule-tree.ts";
import { satisfiedUntil, satisfies } from "./satisfies.ts";
import { type KeysOf, signingKeys, tokenTermsOf } from "./token-keys.ts";

/** Who asks, as far as a Manifest knows. */
export type Identity = KnownCaller | UnknownCaller;

/** Somebody whom rules can name. */
export interface KnownCaller {
  readonly known: true;
  /** Every principal that was presented, in the order of the Manifest; `anonymous` alone where nothing was presented. */
  readonly ids: readonly string[];
  /** Whether one of them may read the access log and the egress ledger. */
  readonly audit: boolean;
  /** Seconds since 1970 after which to ask anew; null: nothing that was presented runs out. */
  readonly until: number | null;
}

/** Credentials that belong to no principal. They are no less than none: such a request is refused. */
export interface UnknownCaller {
  readonly known: false;
}

/** What the gateway knows of a request before it forwards anything. */
export interface AccessRequest {
  readonly identity: Identity;
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  /** The raw request target. */
  readonly target: string;
  /** Value of `Upgrade` in lower case; null where the request asks for none. */
  readonly upgrade: string | null;
  /**
   * The lines of one header, as the application would get them, each as sent but for the white space around its value;
   * of the names in `METHOD_OVERRIDES`, as they came. Asked for names in `headerNames` only.
   */
  readonly headers: (lowerCaseName: string) => readonly string[];
}

/** The answer to one request. */
export type AccessDecision = Admission | Refusal;

/** The request may go to the application. */
export interface Admission {
  readonly allowed: true;
  /** Index of the rule that matched. */
  readonly rule: number;
  /** Id of the caller, or `anonymous`: of several, the first that the rule names. */
  readonly principal: string;
  readonly limits: Limits;
  /** Whether the request is written to the access log. */
  readonly audit: boolean;
  /** The method overrides (`METHOD_OVERRIDES`) that go on to the application; no others may. */
  readonly passes: readonly string[];
}

/** The request must not reach the application. */
export interface Refusal {
  readonly allowed: false;
  /** `bad-target`: no reading, or kept by the box. `unauthenticated`: no credential, or an unknown one. */
  readonly reason: "unauthenticated" | "forbidden" | "bad-target";
}

/** Decides who asks, and what they may ask, by the access rules of one Manifest. Nothing in it throws. */
export interface AccessDecider {
  /** Who presented these verified credentials, at `now` in seconds since 1970? A few look-ups, so never to be cached. */
  identify(facts: PresentedFacts, now: number): Identity;
  /** Does not count: limits are handed back for the caller to enforce. */
  decide(request: AccessRequest): AccessDecision;
  /** The names, in lower case, that any rule conditions. */
  readonly headerNames: ReadonlySet<string>;
}

/**
 * Compiles the access rules of a Manifest (DESIGN section 4). Asynchronous only because thumbprints of keys are hashed.
 * The first rule that names the caller and matches the request decides; where none does, the request is refused. Exactly:
 *
 * - A request's callers are the principals whose kinds of credentials are exactly those that it presents, and each of
 *   whose factors is satisfied. So no credential is ever ignored: one too many makes another caller, or none. Several
 *   principals can be meant at once (a member of staff who is an administrator too); the request then has the rights of
 *   each, under the limits of the rule that decides. So taking one out of the Manifest never lets anybody in who was
 *   refused; but whoever is another principal too then falls to a later rule, which may grant more and record less.
 * - `anonymous` is the caller of a request without credentials, and of no other. A credential that belongs to nobody is
 *   refused even where `anonymous` is allowed.
 * - A literal path matches itself, character by character: case counts, and `/a` is not `/a/`.
 * - A path that ends in `/**` matches what begins with the part before the stars: `/a/**` matches `/a/` and everything
 *   below it, and neither `/a` nor `/ab`; `/**` matches every path.
 * - Rules see the path with its escapes decoded, without the query. Nothing under `RESERVED_PATH`, in any case, matches any rule.
 * - A header term is compared with lines as sent; a header that comes twice satisfies none. A request that asks for an
 *   upgrade matches only rules that allow that upgrade.
 *
 * Rules divide one application between callers only as far as the application tells paths apart the same way: one that
 * ignores case or a slash at the end needs rules that do not rest on either.
 */
export async function createAccessDecider({ access }: Pick<Manifest, "access">): Promise<AccessDecider> {
  const { principals, rules } = access;
  const keysOf = await signingKeys(tokenTermsOf(principals));
  const callers = indexCallers(principals);
  const index = indexRules(rules);
  return {
    headerNames: new Set(rules.flatMap(({ headers }) => Object.keys(headers))),
    identify(facts, now) {
      if (isNothing(facts)) return { known: true, ids: [ANONYMOUS], audit: false, until: null };
      const candidates = callers.candidates(facts).flatMap((position) => principals[position] ?? []);
      return identified(candidates, facts, keysOf, now);
    },
    decide({ identity, method, target, upgrade, headers }) {
      const path = readTarget(target)?.plainPath;
      if (path === undefined || isReservedPath(path)) return refused("bad-target");
      if (!identity.known) return refused("unauthenticated");
      const position = index.first(identity.ids, { method, path, upgrade, headers });
      const rule = rules[position];
      if (rule !== undefined) return admitted(rule, position, identity);
      return refused(identity.ids.includes(ANONYMOUS) ? "unauthenticated" : "forbidden");
    },
  };
}

function isNothing({ apiKey, token, certificate }: PresentedFacts): boolean {
  return apiKey === null && token === null && certificate === null;
}

function identified(candidates: readonly Principal[], facts: PresentedFacts, keysOf: KeysOf, now: number): Identity {
  const presented = candidates.filter((principal) =>
    factorsOf(principal).every((factor) => satisfies(facts, factor, keysOf, now)),
  );
  if (presented.length === 0) return { known: false };
  return {
    known: true,
    ids: presented.map(({ id }) => id),
    audit: presented.some(({ audit }) => audit),
    until: earliest(presented.flatMap(factorsOf).map((factor) => satisfiedUntil(facts, factor))),
  };
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function admitted(rule: AccessRule, position: number, { ids }: KnownCaller): Admission {
  return {
    allowed: true,
    rule: position,
    principal: principalUnder(rule, ids),
    limits: rule.limits,
    audit: rule.audit,
    passes: passedOverrides(rule),
  };
}

function refused(reason: Refusal["reason"]): Refusal {
  return { allowed: false, reason };
}
