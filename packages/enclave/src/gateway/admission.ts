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
    headers: (name) => valuesOf(METHOD_OVERRIDES.has(name) ? rawHeaders : forApp, name).map((line) => line.trim()),
  });
  if (!decided.allowed) return refused(decided.reason);
  const { passes } = decided;
  const headers = passes.length === 0 ? forApp : headersForApp(rawHeaders, head, { passesAuthorization, passes });
  return claimFor(parts, request, decided, headers);
}

function claimFor(
  { allowances, upstream }: AdmissionParts,
  request: IncomingMessage,
  decided: Decided,
  headers: readonly string[],
): Admission {
  const { rule, principal, limits } = decided;
  if ((declaredLength(request) ?? 0) > limits.body) return refused("body-too-large", rule);
  if (upstream.state() !== "ready") return refused("app-not-ready", rule);
  const claim = allowances.claim(rule, principal, limits);
  if (!claim.granted) return refused("too-many-requests", rule, [["retry-after", String(claim.retryAfter)]]);
  return { admitted: true, rule, decided, headers: [...headers, "x-blindbox-principal", principal], claim };
}

function refused(problem: ProblemCode, rule: number | null = null, headers: readonly Header[] = []): Refused {
  return { admitted: false, problem, rule, headers };
}
