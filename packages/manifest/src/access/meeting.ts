import {
  type CertificateTerms,
  type ClaimTerm,
  type Factor,
  factorsOf,
  kindOfFactor,
  type Principal,
  type TokenTerms,
} from "./principal.ts";
import { isClaim, isSameName } from "./satisfies.ts";
import type { KeysOf } from "./token-keys.ts";

/**
 * Can one request make both known: the first by all that it presents, the second by the same or a part of it? Compared by
 * key material, never by id. What cannot be decided can be.
 */
export function canMeet(whole: Principal, part: Principal, keysOf: KeysOf): boolean {
  const factors = factorsOf(whole);
  return factorsOf(part).every((each) => {
    const same = factors.find((factor) => kindOfFactor(factor) === kindOfFactor(each));
    return same !== undefined && canFactorsMeet(same, each, keysOf);
  });
}

function canFactorsMeet(one: Factor, other: Factor, keysOf: KeysOf): boolean {
  if ("apiKey" in one) return "apiKey" in other && one.apiKey === other.apiKey;
  if ("jwt" in one) return "jwt" in other && canTokensMeet(one.jwt, other.jwt, keysOf);
  return "certificate" in other && canCertificatesMeet(one.certificate, other.certificate);
}

// `aud` may be a list with both audiences, and any token can be young and short enough for both.
function canTokensMeet(one: TokenTerms, other: TokenTerms, keysOf: KeysOf): boolean {
  return (
    one.issuer === other.issuer &&
    haveKeyInCommon(one, other, keysOf) &&
    Object.entries(one.requiredClaims).every(([name, term]) => {
      const also = Object.hasOwn(other.requiredClaims, name) ? other.requiredClaims[name] : undefined;
      return also === undefined || canTermsMeet(term, also);
    })
  );
}

function haveKeyInCommon(one: TokenTerms, other: TokenTerms, keysOf: KeysOf): boolean {
  const others = keysOf(other);
  return Array.from(keysOf(one)).some(([key, algorithms]) =>
    Array.from(algorithms).some((algorithm) => others.get(key)?.has(algorithm) === true),
  );
}

function canTermsMeet(one: ClaimTerm, other: ClaimTerm): boolean {
  const [values, others] = [valuesOf(one), valuesOf(other)];
  if (values !== null) return values.some((value) => isClaim(value, other));
  if (others !== null) return others.some((value) => isClaim(value, one));
  // Two words stand in one text, and two items in one list; a text is no list.
  return kindOfTerm(one) === kindOfTerm(other);
}

/** The values of which the claim is one; null: there is no end of them. */
function valuesOf(term: ClaimTerm): readonly unknown[] | null {
  if (typeof term !== "object") return [term];
  return "word" in term || "item" in term ? null : term;
}

function kindOfTerm(term: ClaimTerm): string {
  return typeof term === "object" && "word" in term ? "text" : "list";
}

// A certificate may have both alternative names.
function canCertificatesMeet(one: CertificateTerms, other: CertificateTerms): boolean {
  const isSubject = one.subject === "any" || other.subject === "any" || isSameName(one.subject, other.subject);
  return one.issuer === other.issuer && isSubject;
}
