import { ANONYMOUS, type Factor, factorsOf, type Principal, type TokenTerms } from "../access/principal.ts";
import type { Access } from "../access/rule.ts";
import type { KeysOf } from "../access/token-keys.ts";
import { isCallerWithin } from "../access/within.ts";
import type { Manifest } from "../manifest.ts";
import type { CheckedPrincipal, CheckedRequirement, RequirementDifference } from "./requirement.ts";

/** Callers beyond the accepted ones, compared by their key material alone. */
export function comparePrincipals(
  { access }: Manifest,
  accepted: readonly CheckedPrincipal[],
  keysOf: KeysOf,
): RequirementDifference[] {
  const isKnown = knownAmong(accepted, keysOf);
  const strangers = access.principals.flatMap((principal, index) =>
    isKnown(principal) ? [] : [strangerAt(index, principal)],
  );
  return [...strangers, ...compareAnonymous(access, accepted)];
}

/** Principals with the right to read ledger and access log whom the requirement does not grant it. */
export function compareAuditors(
  { access }: Manifest,
  audit: CheckedRequirement["audit"],
  keysOf: KeysOf,
): RequirementDifference[] {
  if (audit === true) return [];
  const isKnown = knownAmong(audit === false ? [] : audit.subsetOf, keysOf);
  return access.principals.flatMap((principal, index): RequirementDifference[] => {
    if (!principal.audit || isKnown(principal)) return [];
    const path = `access.principals[${index}].audit`;
    const reason = "somebody may read the egress ledger and the access log whom the requirement does not grant that";
    return [{ part: "audit", path, expected: "false", actual: "true", reason }];
  });
}

/** The terms of every JWT that a requirement accepts. */
export function acceptedTerms({ access, audit }: CheckedRequirement): readonly TokenTerms[] {
  const auditors = typeof audit === "boolean" ? [] : audit.subsetOf;
  const factors = [...access.principals.subsetOf, ...auditors].flatMap(materialOf);
  return factors.flatMap((factor) => ("jwt" in factor ? [factor.jwt] : []));
}

function materialOf(accepted: CheckedPrincipal): readonly Factor[] {
  return "factors" in accepted ? accepted.factors : [];
}

/** Keys are found at once, so that ten thousand callers are compared with ten thousand accepted ones in no time. */
function knownAmong(accepted: readonly CheckedPrincipal[], keysOf: KeysOf): (principal: Principal) => boolean {
  const named = accepted.flatMap((each) => ("factors" in each ? [each.factors] : []));
  const keys = new Set(named.flatMap((factors) => (factors.length === 1 ? factors : [])).map(apiKeyOf));
  const others = named.filter((factors) => factors.length > 1 || apiKeyOf(factors[0]) === undefined);
  return (principal) =>
    factorsOf(principal).some((factor) => "apiKey" in factor && keys.has(factor.apiKey)) ||
    others.some((factors) => isCallerWithin(principal, factors, keysOf));
}

function apiKeyOf(factor: Factor | undefined): string | undefined {
  return factor !== undefined && "apiKey" in factor ? factor.apiKey : undefined;
}

function strangerAt(index: number, principal: Principal): RequirementDifference {
  return {
    part: "principals",
    path: `access.principals[${index}]`,
    expected: "a caller whose key material is accepted",
    actual: factorsOf(principal).map(describeFactor).join(" together with "),
    reason: "a caller is admitted that the requirement does not accept, and every caller is an output",
  };
}

function compareAnonymous(access: Access, accepted: readonly CheckedPrincipal[]): RequirementDifference[] {
  const rule = access.rules.findIndex(({ allow }) => allow.includes(ANONYMOUS));
  if (rule === -1 || accepted.some((each) => "anonymous" in each)) return [];
  return [
    {
      part: "principals",
      path: `access.rules[${rule}].allow`,
      expected: "callers with accepted key material only",
      actual: ANONYMOUS,
      reason: "anybody is admitted, which the requirement does not accept, and every caller is an output",
    },
  ];
}

/** Key material in words. */
function describeFactor(factor: Factor): string {
  if ("apiKey" in factor) return `the API key with digest ${factor.apiKey}`;
  if ("certificate" in factor) return `client certificates of ${factor.certificate.issuer}`;
  return `tokens of ${factor.jwt.issuer} for ${factor.jwt.audience}`;
}
