/** May this request reach the application? Every answer but yes is a problem to send. */
import type { IncomingMessage } from "node:http";
import { type AccessDecider, METHOD_OVERRIDES, type Admission as Decided, type Identity } from "@blindbox/manifest";
import type { AppUpstream } from "../parts.ts";
import type { Allowances, Claim } from "./allowances.ts";
import { declaredLength } from "./body.ts";
import type { Callers, ClientCertificate } from "./credentials/index.ts";
import { readPresented } from "./credentials/index.ts";
import type { RequestHead } from "./head.ts";
import { headersForApp, valuesOf } from "./headers.ts";
import type { Header, ProblemCode } from "./problems.ts";

export type Admission = Admitted | Refused;

export interface Admitted {
  readonly admitted: true;
  /** Index of the access rule. */
  readonly rule: number;
  /** What the rules say of the request: who it is, and its limits. */
  readonly decided: Decided;
  /** The caller's headers as the application gets them, names and values in turn. */
  readonly headers: readonly string[];
  readonly claim: Claim;
  /** Seconds since 1970 after which the caller's credentials are worth nothing; null: they do not run out. */
  readonly until: number | null;
  /** When it was admitted, by the same clock. */
  readonly now: number;
}

export interface Refused {
  readonly admitted: false;
  readonly problem: ProblemCode;
  /** Index of the access rule whose limits refused it. */
  readonly rule: number | null;
  /** What the problem alone does not say. */
  readonly headers: readonly Header[];
}

export interface AdmissionParts {
  readonly access: AccessDecider;
  readonly callers: Callers;
  readonly allowances: Allowances;
  /** Of each rule, whether it admits more than one principal. */
  readonly sharedRules: readonly boolean[];
  readonly upstream: AppUpstream;
}

/** A request, its head, and the certificate that its connection proved. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly head: RequestHead;
  readonly certificate: ClientCertificate;
}

/**
 * The order matters: who may not call learns nothing of the application's state, and uses up nobody's allowance. Answered at
 * once but for a token that was never seen before, whose signature takes a moment.
 */
export function admit(parts: AdmissionParts, arrival: Arrival): Admission | Promise<Admission> {
  const { request, head, certificate } = arrival;
  if (holdsKey(request.url ?? "")) return refused("misplaced-credential");
  const presented = readPresented(head, parts.callers.takesTokens);
  if (typeof presented === "string") return refused(presented);
  const identity = parts.callers.identify(presented, certificate);
  const decide = (known: Identity): Admission => decideFor(parts, arrival, known, presented.passesAuthorization);
  return identity instanceof Promise ? identity.then(decide) : decide(identity);
}

/** Optional white space is space and tab (RFC 9110, section 5.6.3): whatever else stands around a value is a part of it. */
function withoutOws(line: string): string {
  return line.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** A key in a target ends in logs and histories: it is refused there, not overlooked. */
function holdsKey(target: string): boolean {
  return /bb_[A-Za-z0-9_-]{43}/.test(target);
}

function decideFor(
  parts: AdmissionParts,
  { request, head }: Arrival,
  identity: Identity,
  passesAuthorization: boolean,
): Admission {
  const { method = "", url: target = "", rawHeaders } = request;
  const forApp = headersForApp(rawHeaders, head, { passesAuthorization, passes: [] });
  const decided = parts.access.decide({
    identity,
    method,
    target,
    upgrade: request.headers.upgrade?.toLowerCase() ?? null,
    headers: (name) => valuesOf(METHOD_OVERRIDES.has(name) ? rawHeaders : forApp, name).map(withoutOws),
  });
  if (!decided.allowed) return refused(decided.reason);
  const { passes } = decided;
  const headers = passes.length === 0 ? forApp : headersForApp(rawHeaders, head, { passesAuthorization, passes });
  const until = identity.known ? identity.until : null;
  return claimFor(parts, request, { decided, headers, until, now: parts.callers.now() });
}

function claimFor(
  { allowances, upstream, sharedRules }: AdmissionParts,
  request: IncomingMessage,
  granted: Pick<Admitted, "decided" | "headers" | "until" | "now">,
): Admission {
  const { rule, principal, limits } = granted.decided;
  if ((declaredLength(request) ?? 0) > limits.body) return refused("body-too-large", rule);
  if (upstream.state() !== "ready") return refused("app-not-ready", rule);
  const claim = allowances.claim(rule, principal, limits, sharedRules[rule] ?? true);
  if (!claim.granted) return refused("too-many-requests", rule, [["retry-after", String(claim.retryAfter)]]);
  const headers = [...granted.headers, "x-blindbox-principal", principal];
  return { admitted: true, rule, claim, ...granted, headers };
}

function refused(problem: ProblemCode, rule: number | null = null, headers: readonly Header[] = []): Refused {
  return { admitted: false, problem, rule, headers };
}
