import { canonicalJson } from "@blindbox/encoding";
import type { CertificateFacts, PresentedFacts, TokenFacts } from "./facts.ts";
import type { CertificateTerms, ClaimTerm, Factor, TokenTerms } from "./principal.ts";
import type { KeysOf } from "./token-keys.ts";

/** Does what was presented satisfy this factor at `now` (seconds since 1970)? */
export function satisfies(facts: PresentedFacts, factor: Factor, keysOf: KeysOf, now: number): boolean {
  if ("apiKey" in factor) return facts.apiKey === factor.apiKey;
  if ("certificate" in factor) {
    return facts.certificate !== null && isCertificateOf(facts.certificate, factor.certificate, now);
  }
  return facts.token !== null && isTokenOf(facts.token, factor.jwt, keysOf, now);
}

/** Seconds since 1970 after which what satisfies the factor now may satisfy it no more; null: never. */
export function satisfiedUntil(facts: PresentedFacts, factor: Factor): number | null {
  if ("certificate" in factor) return facts.certificate?.notAfter ?? null;
  if (!("jwt" in factor) || facts.token === null) return null;
  return (claimTime(facts.token, "exp") ?? 0) + factor.jwt.clockSkew;
}

/** Each comparison alone, so that none can stand in for another. */
function isTokenOf(token: TokenFacts, terms: TokenTerms, keysOf: KeysOf, now: number): boolean {
  return (
    claimOf(token, "iss") === terms.issuer &&
    audiencesOf(token).includes(terms.audience) &&
    keysOf(terms).get(token.key)?.has(token.algorithm) === true &&
    isCurrent(token, terms, now) &&
    Object.entries(terms.requiredClaims).every(([name, term]) => isClaim(claimOf(token, name), term))
  );
}

function isCurrent(token: TokenFacts, { clockSkew, maxLifetime }: TokenTerms, now: number): boolean {
  const [expires, issued] = [claimTime(token, "exp"), claimTime(token, "iat")];
  if (expires === null || issued === null) return false;
  if (claimOf(token, "nbf") !== undefined && (claimTime(token, "nbf") ?? Infinity) > now + clockSkew) return false;
  return now < expires + clockSkew && issued <= now + clockSkew && expires - issued <= maxLifetime;
}

/** Names of a prototype are no claims. */
function claimOf({ claims }: TokenFacts, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function claimTime(token: TokenFacts, name: string): number | null {
  const time = claimOf(token, name);
  return typeof time === "number" && Number.isFinite(time) && time >= 0 ? time : null;
}

/** The audiences of a token; none where `aud` is anything but a string or a list of strings (RFC 7519, section 4.1.3). */
export function audiencesOf(token: TokenFacts): readonly string[] {
  const audience = claimOf(token, "aud");
  if (typeof audience === "string") return [audience];
  return Array.isArray(audience) && audience.every((each) => typeof each === "string") ? audience : [];
}

/** Is a claim's value what the term wants it to be? */
export function isClaim(value: unknown, term: ClaimTerm): boolean {
  if (typeof term !== "object") return value === term;
  if ("word" in term) return typeof value === "string" && value.split(" ").includes(term.word);
  if ("item" in term) return Array.isArray(value) && value.includes(term.item);
  return typeof value === "string" && term.includes(value);
}

function isCertificateOf(certificate: CertificateFacts, terms: CertificateTerms, now: number): boolean {
  const san = terms.san === null ? null : canonicalJson({ ...terms.san });
  return (
    certificate.issuer === terms.issuer &&
    certificate.notBefore <= now &&
    now <= certificate.notAfter &&
    (terms.subject === "any" || isSameName(certificate.subject, terms.subject)) &&
    (san === null || certificate.names.some((each) => canonicalJson({ ...each }) === san))
  );
}

type Name = Exclude<CertificateTerms["subject"], "any">;

/** The same attributes with the same values in the same order. */
export function isSameName(one: Name | null, other: Name): boolean {
  return (
    one !== null &&
    one.length === other.length &&
    other.every(({ type, value }, index) => one[index]?.type === type && one[index].value === value)
  );
}
