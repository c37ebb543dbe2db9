import { ANONYMOUS, type AccessRule, type Limits, type Manifest } from "./manifest.ts";
import { readTarget } from "./target.ts";

/** What the gateway knows of a request before it forwards anything. */
export interface AccessRequest {
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  /** The raw request target. */
  readonly target: string;
  /** Digest of the presented API key (`apiKeyDigest`); null where no credential was presented. */
  readonly apiKeyDigest: string | null;
}

/** The answer to one request. */
export type AccessDecision = Admission | Refusal;

/** The request may go to the application. */
export interface Admission {
  readonly allowed: true;
  /** Index of the rule that matched. */
  readonly rule: number;
  /** Id of the caller, or `anonymous`. */
  readonly principal: string;
  readonly limits: Limits;
}

/** The request must not reach the application. */
export interface Refusal {
  readonly allowed: false;
  /** `bad-target`: no reading, or kept by the box. `unauthenticated`: no credential, or an unknown one. */
  readonly reason: "unauthenticated" | "forbidden" | "bad-target";
}

/** Decides requests by the rules of one Manifest. */
export interface AccessDecider {
  /** Never throws. Does not count: limits are handed back for the caller to enforce. */
  decide(request: AccessRequest): AccessDecision;
}

/** The folder of the box's own endpoints. Nothing in it ever reaches the application. */
export const RESERVED_PATH = "/.well-known/blindbox";

/**
 * Compiles the access rules of a Manifest (DESIGN section 4). The first rule that names the caller, the method and the path
 * decides; where none does, the request is refused. Exactly:
 *
 * - A caller is the principal whose API key it presents, and `anonymous` only if it presents none. An unknown key is
 *   refused even where `anonymous` is allowed; a principal is not also `anonymous`.
 * - A literal path matches itself, character by character: case counts, and `/a` is not `/a/`.
 * - A path that ends in `/**` matches what begins with the part before the stars: `/a/**` matches `/a/` and everything
 *   below it, and neither `/a` nor `/ab`; `/**` matches every path.
 * - Rules see the path with its escapes decoded, without the query. Nothing under `RESERVED_PATH`, in any case, matches any rule.
 *
 * Rules divide one application between callers only as far as the application tells paths apart the same way: one that
 * ignores case or a slash at the end needs rules that do not rest on either.
 */
export function createAccessDecider(manifest: Pick<Manifest, "access">): AccessDecider {
  const idByKey = new Map<string, string>();
  for (const principal of manifest.access.principals) {
    if ("apiKey" in principal) idByKey.set(principal.apiKey, principal.id);
  }
  const rules = manifest.access.rules.map(compile);
  return {
    decide({ method, target, apiKeyDigest }) {
      const path = readTarget(target)?.plainPath;
      if (path === undefined || isReservedPath(path)) return refused("bad-target");
      const principal = apiKeyDigest === null ? ANONYMOUS : idByKey.get(apiKeyDigest);
      if (principal === undefined) return refused("unauthenticated");
      const rule = rules.findIndex((each) => each.matches(principal, method, path));
      return admitted(rules[rule], rule, principal) ?? refused(apiKeyDigest === null ? "unauthenticated" : "forbidden");
    },
  };
}

interface CompiledRule {
  readonly limits: Limits;
  matches(principal: string, method: string, path: string): boolean;
}

function compile(rule: AccessRule): CompiledRule {
  const allow = new Set<string>(rule.allow);
  const methods = new Set<string>(rule.methods);
  const matchesPath = pathMatcher(rule.path);
  return {
    limits: rule.limits,
    matches: (principal, method, path) => allow.has(principal) && methods.has(method) && matchesPath(path),
  };
}

/** The matching of paths that `createAccessDecider` describes. `pattern` has the form that the parser accepts. */
export function pathMatcher(pattern: string): (plainPath: string) => boolean {
  if (!pattern.endsWith("/**")) return (path) => path === pattern;
  const prefix = pattern.slice(0, -2);
  return (path) => path.startsWith(prefix);
}

/**
 * True for a decoded path (`Target.plainPath`) that is the box's own: never passed to the application, in any mixture of
 * upper and lower case that it might read as ours.
 */
export function isReservedPath(plainPath: string): boolean {
  return `${plainPath.toLowerCase()}/`.startsWith(`${RESERVED_PATH}/`);
}

function admitted(rule: CompiledRule | undefined, index: number, principal: string): Admission | undefined {
  return rule === undefined ? undefined : { allowed: true, rule: index, principal, limits: rule.limits };
}

function refused(reason: Refusal["reason"]): Refusal {
  return { allowed: false, reason };
}
