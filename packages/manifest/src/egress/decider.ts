import { pathMatcher } from "../access/paths.ts";
import { hostCovers, normalizeHostName, WILDCARD } from "../host-name.ts";
import type { Egress, Manifest, RequestRules } from "../manifest.ts";
import { readTarget } from "../target.ts";

/** Where the application wants to connect to: a name or an IPv4 literal, never both. */
export interface EgressConnection {
  /** As `normalizeHostName` answers it; null where an address was dialled. */
  readonly name: string | null;
  /** IPv4 literal; null where a name was dialled. */
  readonly address: string | null;
  readonly port: number;
}

/** The answer to one connection. */
export type EgressConnectionDecision =
  | { readonly allowed: true /** Index in `egress`. */; readonly rule: number; readonly egress: Egress }
  | { readonly allowed: false; readonly reason: "host-not-allowed" | "port-not-allowed" };

/** What the application asks of a host, as far as rules can see it. */
export interface EgressRequest {
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  /** The raw request target. */
  readonly target: string;
}

/** The answer to one request. */
export type EgressRequestDecision =
  | { readonly allowed: true /** Index in `egress`. */; readonly rule: number }
  | { readonly allowed: false; readonly reason: "bad-target" | "method-not-allowed" | "path-not-allowed" };

/** Decides what leaves the box by the egress rules of one Manifest. Nothing in it throws. */
export interface EgressDecider {
  /** Every TCP port of any rule, ascending, each once. */
  readonly ports: readonly number[];
  /** Does a rule name this host? False for a name that is not as `normalizeHostName` answers it. */
  covers(name: string): boolean;
  /** True where `covers` rests on wildcards alone, so that the application chose a part of the name. */
  wildcard(name: string): boolean;
  connection(to: EgressConnection): EgressConnectionDecision;
  /** For connections that `connection` allowed by a rule with methods and paths. */
  request(to: { readonly name: string; readonly port: number }, request: EgressRequest): EgressRequestDecision;
}

/**
 * Compiles the egress rules of a Manifest (DESIGN section 4). Exactly:
 *
 * - A host that is a name covers that name; `*.` and a name covers names with exactly one label more; an address covers
 *   only itself, and only in mode `tcp`.
 * - A connection is allowed by the first rule that covers its host and names its port. Rules that overlap agree in all but
 *   methods and paths (the parser refuses others), so the first stands for all of them.
 * - A request is allowed if one rule that covers its host and port names both its method and its path. Methods `any` is
 *   every method, paths `any` every target with one reading (`readTarget`); literal paths and `/**` are those of access rules.
 */
export function createEgressDecider(manifest: Pick<Manifest, "egress">): EgressDecider {
  const rules = manifest.egress.map(compile);
  const covering = (name: string): readonly CompiledRule[] =>
    normalizeHostName(name) === name ? rules.filter((rule) => hostCovers(rule.egress.host, name)) : [];
  return {
    ports: [...new Set(manifest.egress.flatMap(({ ports }) => ports))].toSorted((a, b) => a - b),
    covers: (name) => covering(name).length > 0,
    wildcard(name) {
      const found = covering(name);
      return found.length > 0 && found.every(({ egress }) => egress.host.startsWith(WILDCARD));
    },
    connection({ name, address, port }) {
      if ((name === null) === (address === null)) return { allowed: false, reason: "host-not-allowed" };
      return firstOnPort(name === null ? rules.filter((rule) => isAddress(rule, address)) : covering(name), port);
    },
    request: ({ name, port }, request) => decideRequest(covering(name).filter(onPort(port)), request),
  };
}

interface CompiledRule {
  readonly index: number;
  readonly egress: Egress;
  /** False for rules that see no requests. */
  allowsMethod(method: string): boolean;
  allowsPath(plainPath: string): boolean;
}

function compile(egress: Egress, index: number): CompiledRule {
  const rules = "methods" in egress ? egress : null;
  return { index, egress, allowsMethod: methodMatcher(rules), allowsPath: pathsMatcher(rules) };
}

function methodMatcher(rules: RequestRules | null): (method: string) => boolean {
  if (rules === null) return () => false;
  const methods = rules.methods === "any" ? "any" : new Set<string>(rules.methods);
  return (method) => methods === "any" || methods.has(method);
}

function pathsMatcher(rules: RequestRules | null): (plainPath: string) => boolean {
  if (rules === null) return () => false;
  if (rules.paths === "any") return () => true;
  const matchers = rules.paths.map(pathMatcher);
  return (plainPath) => matchers.some((matches) => matches(plainPath));
}

// The Manifest lets addresses stand in mode `tcp` alone; a rule that came here another way is not widened by it.
function isAddress({ egress }: CompiledRule, address: string | null): boolean {
  return egress.mode === "tcp" && egress.host === address;
}

function onPort(port: number): (rule: CompiledRule) => boolean {
  return ({ egress }) => egress.ports.includes(port);
}

function firstOnPort(rules: readonly CompiledRule[], port: number): EgressConnectionDecision {
  if (rules.length === 0) return { allowed: false, reason: "host-not-allowed" };
  const rule = rules.find(onPort(port));
  if (rule === undefined) return { allowed: false, reason: "port-not-allowed" };
  return { allowed: true, rule: rule.index, egress: rule.egress };
}

function decideRequest(rules: readonly CompiledRule[], { method, target }: EgressRequest): EgressRequestDecision {
  const path = readTarget(target)?.plainPath;
  if (path === undefined) return { allowed: false, reason: "bad-target" };
  const ofMethod = rules.filter((rule) => rule.allowsMethod(method));
  if (ofMethod.length === 0) return { allowed: false, reason: "method-not-allowed" };
  const rule = ofMethod.find((each) => each.allowsPath(path));
  return rule === undefined ? { allowed: false, reason: "path-not-allowed" } : { allowed: true, rule: rule.index };
}
