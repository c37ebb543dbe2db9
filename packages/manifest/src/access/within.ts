import {
  type CertificateTerms,
  type ClaimTerm,
  type Factor,
  factorsOf,
  type Principal,
  type TokenTerms,
} from "./principal.ts";
import { isClaim, isSameName } from "./satisfies.ts";
import type { KeysOf } from "./token-keys.ts";

/**
 * Does whatever makes the first caller known make the other known as well, where it presents no more than that one needs?
 * So `allOf` is within each of its factors. Compared by key material, never by id; what cannot be decided is not within.
 */
export function isCallerWithin(caller: Principal | Factor, accepted: readonly Factor[], keysOf: KeysOf): boolean {
  const factors = factorsOf(caller);
  return accepted.every((each) => factors.some((factor) => isFactorWithin(factor, each, keysOf)));
}

function isFactorWithin(factor: Factor, accepted: Factor, keysOf: KeysOf): boolean {
  if ("apiKey" in factor) return "apiKey" in accepted && factor.apiKey === accepted.apiKey;
  if ("jwt" in factor) return "jwt" in accepted && isTokenWithin(factor.jwt, accepted.jwt, keysOf);
  return "certificate" in accepted && isCertificateWithin(factor.certificate, accepted.certificate);
}

function isTokenWithin(terms: TokenTerms, accepted: TokenTerms, keysOf: KeysOf): boolean {
  return (
    terms.issuer === accepted.issuer &&
    terms.audience === accepted.audience &&
    areKeysWithin(terms, accepted, keysOf) &&
    terms.clockSkew <= accepted.clockSkew &&
    terms.maxLifetime <= accepted.maxLifetime &&
    Object.entries(accepted.requiredClaims).every(([name, term]) => {
      const narrower = Object.hasOwn(terms.requiredClaims, name) ? terms.requiredClaims[name] : undefined;
      return narrower !== undefined && isTermWithin(narrower, term);
    })
  );
}

// Key by key and algorithm by algorithm: `alg` of a key narrows what it signs with.
function areKeysWithin(terms: TokenTerms, accepted: TokenTerms, keysOf: KeysOf): boolean {
  const wide = keysOf(accepted);
  return Array.from(keysOf(terms)).every(([key, algorithms]) =>
    Array.from(algorithms).every((algorithm) => wide.get(key)?.has(algorithm) === true),
  );
}

function isTermWithin(term: ClaimTerm, accepted: ClaimTerm): boolean {
  if (typeof term !== "object") return isClaim(term, accepted);
  if ("word" in term) return typeof accepted === "object" && "word" in accepted && term.word === accepted.word;
  if ("item" in term) return typeof accepted === "object" && "item" in accepted && term.item === accepted.item;
  return term.every((value) => isClaim(value, accepted));
}

function isCertificateWithin(terms: CertificateTerms, accepted: CertificateTerms): boolean {
  const isSubject =
    accepted.subject === "any" || (terms.subject !== "any" && isSameName(terms.subject, accepted.subject));
  const isName =
    accepted.san === null || (terms.san !== null && JSON.stringify(terms.san) === JSON.stringify(accepted.san));
  return terms.issuer === accepted.issuer && isSubject && isName;
}
