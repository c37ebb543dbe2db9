import { canonicalJson } from "@blindbox/encoding";
import { ANONYMOUS, type Access, type JwtPrincipal, type Manifest, type Principal } from "../manifest.ts";
import type { CheckedRequirement, RequiredPrincipal, RequirementDifference } from "./requirement.ts";

/** Callers beyond the accepted ones, compared by their key material alone. */
export function comparePrincipals(
  { access }: Manifest,
  accepted: readonly RequiredPrincipal[],
): RequirementDifference[] {
  const strangers = access.principals.flatMap((principal, index) =>
    accepted.some((each) => isWithin(principal, each)) ? [] : [strangerAt(index, principal)],
  );
  return [...strangers, ...compareAnonymous(access, accepted)];
}

/** Principals with the right to read the ledger whom the requirement does not grant it. */
export function compareAuditors({ access }: Manifest, audit: CheckedRequirement["audit"]): RequirementDifference[] {
  if (audit === true) return [];
  const accepted = audit === false ? [] : audit.subsetOf;
  return access.principals.flatMap((principal, index): RequirementDifference[] => {
    if (!("audit" in principal) || !principal.audit || accepted.some((each) => isWithin(principal, each))) return [];
    const path = `access.principals[${index}].audit`;
    const reason = "somebody may read the egress ledger whom the requirement does not grant that";
    return [{ part: "audit", path, expected: "false", actual: "true", reason }];
  });
}

function strangerAt(index: number, principal: Principal): RequirementDifference {
  return {
    part: "principals",
    path: `access.principals[${index}]`,
    expected: "a caller whose key material is accepted",
    actual: materialOf(principal),
    reason: "a caller is admitted that the requirement does not accept, and every caller is an output",
  };
}

function compareAnonymous(access: Access, accepted: readonly RequiredPrincipal[]): RequirementDifference[] {
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

function materialOf(principal: Principal): string {
  if ("apiKey" in principal) return `the API key with digest ${principal.apiKey}`;
  if ("certificate" in principal) return `client certificates of ${principal.certificate.issuer}`;
  return `tokens of ${principal.jwt.issuer} for ${principal.jwt.audience}`;
}

function isWithin(principal: Principal, accepted: RequiredPrincipal): boolean {
  if ("apiKey" in principal) return "apiKey" in accepted && principal.apiKey === accepted.apiKey;
  if ("jwt" in principal) return "jwt" in accepted && isTokenWithin(principal.jwt, accepted.jwt);
  return "certificate" in accepted && principal.certificate.issuer === accepted.certificate.issuer;
}

type Tokens = JwtPrincipal["jwt"];

// Each key whole: a member beside the key material (`use`, `alg`) could widen what it signs for.
function isTokenWithin(tokens: Tokens, accepted: Tokens): boolean {
  const keys = new Set(accepted.keys.keys.map(canonicalJson));
  return (
    tokens.issuer === accepted.issuer &&
    tokens.audience === accepted.audience &&
    tokens.keys.keys.every((key) => keys.has(canonicalJson(key))) &&
    tokens.algorithms.every((algorithm) => accepted.algorithms.includes(algorithm))
  );
}
