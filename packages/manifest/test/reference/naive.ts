/** Who asks and what they may, once more, as plainly as can be: nothing indexed, nothing compiled. */
import {
  type Access,
  type AccessDecision,
  type AccessRule,
  type ClaimTerm,
  type Factor,
  type PresentedFacts,
  type Principal,
  readTarget,
  type TokenTerms,
} from "@blindbox/manifest";

/** Everything that decides one request. */
export interface Asked {
  readonly facts: PresentedFacts;
  readonly method: string;
  readonly target: string;
  readonly upgrade: string | null;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** Thumbprints of keys that stand in the Manifest, by their `x`. */
export type Thumbprints = Readonly<Record<string, string>>;

export function naiveCallers(
  principals: readonly Principal[],
  facts: PresentedFacts,
  now: number,
  thumbprints: Thumbprints,
): readonly Principal[] {
  return principals.filter((principal) => {
    const factors: readonly Factor[] = "allOf" in principal ? principal.allOf : [principal];
    const kinds = (each: Factor): string => ("apiKey" in each ? "apiKey" : "jwt" in each ? "token" : "certificate");
    const wanted = new Set(factors.map(kinds));
    for (const kind of ["apiKey", "token", "certificate"] as const) {
      if (wanted.has(kind) !== (facts[kind] !== null)) return false;
    }
    return factors.every((factor) => naiveHolds(factor, facts, now, thumbprints));
  });
}

/** Is one factor satisfied by what was presented? */
export function naiveHolds(factor: Factor, facts: PresentedFacts, now: number, thumbprints: Thumbprints): boolean {
  if ("apiKey" in factor) return factor.apiKey === facts.apiKey;
  if ("jwt" in factor) return naiveToken(factor.jwt, facts, now, thumbprints);
  const { certificate } = facts;
  if (certificate === null || certificate.issuer !== factor.certificate.issuer) return false;
  if (now < certificate.notBefore || now > certificate.notAfter) return false;
  const { subject, san } = factor.certificate;
  if (subject !== "any" && JSON.stringify(subject) !== JSON.stringify(certificate.subject)) return false;
  return san === null || certificate.names.some((name) => JSON.stringify(name) === JSON.stringify(san));
}

function naiveToken(terms: TokenTerms, { token }: PresentedFacts, now: number, thumbprints: Thumbprints): boolean {
  if (token === null) return false;
  const { iss, aud, exp, iat } = token.claims;
  const audiences = typeof aud === "string" ? [aud] : Array.isArray(aud) ? aud : [];
  if (iss !== terms.issuer || !audiences.includes(terms.audience)) return false;
  const known =
    "url" in terms.keys ? terms.keys.thumbprints : terms.keys.keys.map((key) => thumbprints[String(key["x"])]);
  if (!known.includes(token.key)) return false;
  if (!terms.algorithms.some((each) => each === token.algorithm)) return false;
  if (!("url" in terms.keys) && token.algorithm !== "EdDSA") return false;
  if (typeof exp !== "number" || typeof iat !== "number") return false;
  if (now >= exp + terms.clockSkew || iat > now + terms.clockSkew || exp - iat > terms.maxLifetime) return false;
  return Object.entries(terms.requiredClaims).every(([name, term]) => naiveClaim(token.claims[name], term));
}

function naiveClaim(value: unknown, term: ClaimTerm): boolean {
  if (Array.isArray(term)) return term.some((each) => each === value);
  if (typeof term !== "object") return term === value;
  if ("word" in term) return typeof value === "string" && ` ${value} `.includes(` ${term.word} `);
  return "item" in term && Array.isArray(value) && value.some((each) => each === term.item);
}

export function naiveDecision(access: Access, asked: Asked, now: number, thumbprints: Thumbprints): AccessDecision {
  const path = readTarget(asked.target)?.plainPath;
  if (path === undefined || `${path}/`.toLowerCase().startsWith("/.well-known/blindbox/")) {
    return { allowed: false, reason: "bad-target" };
  }
  const isNobody = Object.values(asked.facts).every((each) => each === null);
  const ids = isNobody
    ? ["anonymous"]
    : naiveCallers(access.principals, asked.facts, now, thumbprints).map(({ id }) => id);
  if (ids.length === 0) return { allowed: false, reason: "unauthenticated" };
  for (const [index, rule] of access.rules.entries()) {
    const [principal] = rule.allow.filter((id) => ids.includes(id));
    if (principal === undefined || !naiveMatch(rule, path, asked)) continue;
    const passes = Object.entries(rule.headers).flatMap(([name, term]) =>
      "oneOf" in term && name.includes("method") ? [name] : [],
    );
    return { allowed: true, rule: index, principal, limits: rule.limits, audit: rule.audit, passes };
  }
  return { allowed: false, reason: isNobody ? "unauthenticated" : "forbidden" };
}

function naiveMatch(rule: AccessRule, path: string, asked: Asked): boolean {
  if (!rule.methods.some((each) => each === asked.method)) return false;
  if (!segmentsMatch(rule.path.split("/"), path.split("/"))) return false;
  const isWebSocket = asked.upgrade === "websocket" && rule.upgrade === "websocket";
  if (asked.upgrade !== null && !isWebSocket) return false;
  return Object.entries(rule.headers).every(([name, term]) => {
    const lines = asked.headers[name] ?? [];
    if ("present" in term) return lines.length === (term.present ? 1 : 0);
    return lines.length === 1 && term.oneOf.some((each) => each === lines[0]);
  });
}

function segmentsMatch(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.length === 0) return path.length === 0;
  if (pattern[0] === "**") return path.length > 0;
  return pattern[0] === path[0] && segmentsMatch(pattern.slice(1), path.slice(1));
}
