import type { PresentedFacts, TokenFacts } from "./facts.ts";
import { type Factor, factorsOf, kindOfFactor, type Principal, textsOf, type TokenTerms } from "./principal.ts";
import { audiencesOf } from "./satisfies.ts";

/** Finds the few principals that what was presented may belong to, however many there are. */
export interface CallerIndex {
  /** Positions of principals, ascending: at least every one whose kinds were presented and whose factors are satisfied. */
  candidates(facts: PresentedFacts): readonly number[];
}

/** Claims that tell callers apart best, the best first. A claim that is none of these comes after them, by name. */
const TELLING: readonly string[] = ["sub", "azp", "client_id", "email"];

/** Indexes principals by the kinds that they present, and by one factor of theirs. */
export function indexCallers(principals: readonly Principal[]): CallerIndex {
  const positions = new Map<string, number[]>();
  const claims = new Set<string>();
  principals.forEach((principal, position) => {
    const factors = factorsOf(principal);
    const kinds = factors.map(kindOfFactor);
    for (const label of labelsOfFactor(mostTelling(factors), claims)) {
      const key = keyOf(kinds, label);
      const found = positions.get(key);
      if (found === undefined) positions.set(key, [position]);
      else found.push(position);
    }
  });
  return {
    candidates(facts) {
      const kinds = presentedKinds(facts);
      const found = labelsOfFacts(facts, claims).flatMap((label) => positions.get(keyOf(kinds, label)) ?? []);
      return [...new Set(found)].toSorted((one, other) => one - other);
    },
  };
}

type Label = readonly string[];

function keyOf(kinds: readonly string[], label: Label): string {
  return JSON.stringify([kinds.toSorted(), label]);
}

function presentedKinds(facts: PresentedFacts): readonly string[] {
  return [
    ...(facts.apiKey === null ? [] : ["apiKey"]),
    ...(facts.certificate === null ? [] : ["certificate"]),
    ...(facts.token === null ? [] : ["jwt"]),
  ];
}

// The same order as in `labelsOfFacts`: a combination is found by its key, or else by its certificate.
function mostTelling(factors: readonly Factor[]): Factor | undefined {
  return (
    factors.find((factor) => "apiKey" in factor) ?? factors.find((factor) => "certificate" in factor) ?? factors[0]
  );
}

function labelsOfFacts(facts: PresentedFacts, claims: ReadonlySet<string>): readonly Label[] {
  if (facts.apiKey !== null) return [[facts.apiKey]];
  if (facts.certificate !== null) {
    const { issuer, subject, names } = facts.certificate;
    const bySubject = subject === null ? [] : [[issuer, "subject", JSON.stringify(subject.map(pairOf))]];
    return [[issuer], ...bySubject, ...names.map((name) => [issuer, ...Object.entries(name).flat()])];
  }
  return facts.token === null ? [] : labelsOfToken(facts.token, claims);
}

function labelsOfToken(token: TokenFacts, claims: ReadonlySet<string>): readonly Label[] {
  const { iss, ...rest } = token.claims;
  if (typeof iss !== "string") return [];
  const valued = Object.entries(rest).filter((claim): claim is [string, string] => {
    return claims.has(claim[0]) && typeof claim[1] === "string";
  });
  return [...new Set(audiencesOf(token))].flatMap((audience) => [
    [iss, audience],
    ...valued.map(([name, value]) => [iss, audience, name, value]),
  ]);
}

function labelsOfFactor(factor: Factor | undefined, claims: Set<string>): readonly Label[] {
  if (factor === undefined) return [];
  if ("apiKey" in factor) return [[factor.apiKey]];
  if ("jwt" in factor) return labelsOfTerms(factor.jwt, claims);
  const { issuer, subject, san } = factor.certificate;
  if (san !== null) return [[issuer, ...Object.entries(san).flat()]];
  return subject === "any" ? [[issuer]] : [[issuer, "subject", JSON.stringify(subject.map(pairOf))]];
}

function pairOf({ type, value }: { readonly type: string; readonly value: string }): readonly string[] {
  return [type, value];
}

function labelsOfTerms({ issuer, audience, requiredClaims }: TokenTerms, claims: Set<string>): readonly Label[] {
  const name = tellingClaim(requiredClaims);
  if (name === undefined) return [[issuer, audience]];
  claims.add(name);
  return textsOf(requiredClaims[name]).map((value) => [issuer, audience, name, value]);
}

function tellingClaim(requiredClaims: TokenTerms["requiredClaims"]): string | undefined {
  const names = Object.keys(requiredClaims).filter((name) => textsOf(requiredClaims[name]).length > 0);
  return TELLING.find((name) => names.includes(name)) ?? names.toSorted()[0];
}
