import { ANONYMOUS, type Factor, factorsOf, kindOfFactor, type Principal, textsOf } from "../access/principal.ts";
import type { KeysOf } from "../access/token-keys.ts";
import { isCallerWithin } from "../access/within.ts";

/**
 * As whom a caller can come to a box, best first: with all that it presents, with a part of it, and with nothing. In each
 * step the ids of every principal that it certainly is then.
 */
export type Roles = readonly (readonly string[])[];

/** Looks up callers of one document in another. */
export interface CallerBook {
  rolesOf(caller: Principal): Roles;
  /** The principals whom the caller can be, by what it presents or a part of it. */
  principalsOf(caller: Principal): readonly Principal[];
}

/** The roles of whoever presents nothing. */
export const NOBODY: Roles = [[ANONYMOUS]];

/** Indexes principals, so that ten thousand are found for ten thousand others. */
export function callerBook(principals: readonly Principal[], keysOf: KeysOf): CallerBook {
  const shelves = new Map<string, Principal[]>();
  for (const principal of principals) {
    const [first] = factorsOf(principal);
    for (const label of first === undefined ? [] : labelsOfAccepted(first)) {
      const shelf = shelves.get(label);
      if (shelf === undefined) shelves.set(label, [principal]);
      else shelf.push(principal);
    }
  }
  const principalsOf = (caller: Principal): readonly Principal[] => {
    const near = factorsOf(caller).flatMap(labelsOfCaller);
    const found = new Set(near.flatMap((label) => shelves.get(label) ?? []));
    return [...found].filter((principal) => isCallerWithin(caller, factorsOf(principal), keysOf));
  };
  return {
    principalsOf,
    rolesOf(caller) {
      const found = principalsOf(caller);
      const kinds = kindsOf(caller);
      const [whole, part] = [
        found.filter((each) => kindsOf(each) === kinds),
        found.filter((each) => kindsOf(each) !== kinds),
      ];
      return [...[whole, part].map((each) => each.map(({ id }) => id)), [ANONYMOUS]];
    },
  };
}

/** The kinds of credentials that a principal presents, as one word for each combination. */
export function kindsOf(principal: Principal): string {
  return factorsOf(principal).map(kindOfFactor).toSorted().join();
}

/** Labels under which a factor is shelved: a caller within it has one of them among its own. */
function labelsOfAccepted(factor: Factor): readonly string[] {
  if (!("jwt" in factor)) return [labelOfOther(factor)];
  const { issuer, audience, requiredClaims } = factor.jwt;
  const [claim] = Object.entries(requiredClaims).filter(([, term]) => textsOf(term).length > 0);
  if (claim === undefined) return [labelOf(issuer, audience)];
  return textsOf(claim[1]).map((value) => labelOf(issuer, audience, claim[0], value));
}

/** All labels that a factor's acceptable superior may have: one value of a list is enough, since it covers them all. */
function labelsOfCaller(factor: Factor): readonly string[] {
  if (!("jwt" in factor)) return [labelOfOther(factor)];
  const { issuer, audience, requiredClaims } = factor.jwt;
  const valued = Object.entries(requiredClaims).flatMap(([name, term]) =>
    textsOf(term)
      .slice(0, 1)
      .map((value) => labelOf(issuer, audience, name, value)),
  );
  return [labelOf(issuer, audience), ...valued];
}

function labelOfOther(factor: Exclude<Factor, { readonly jwt: unknown }>): string {
  return "apiKey" in factor ? labelOf("key", factor.apiKey) : labelOf("certificate", factor.certificate.issuer);
}

function labelOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
