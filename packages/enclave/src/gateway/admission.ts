/** May this request reach the application? Every answer but yes is a problem to send. */
import type { IncomingMessage } from "node:http";
import type { AccessDecider } from "@blindbox/manifest";
import type { AppUpstream } from "../parts.ts";
import type { Allowances, Claim } from "./allowances.ts";
import { declaredLength } from "./body.ts";
import { readCredential } from "./credential.ts";
import type { RequestHead } from "./head.ts";
import type { Header, ProblemCode } from "./problems.ts";

export type Admission = Admitted | Refused;

export interface Admitted {
  readonly admitted: true;
  /** Index of the access rule. */
  readonly rule: number;
  readonly passesAuthorization: boolean;
  /** Bytes that the body may have. */
  readonly bodyLimit: number;
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
  readonly allowances: Allowances;
  readonly upstream: AppUpstream;
}

/** The order matters: who may not call learns nothing of the application's state, and uses up nobody's allowance. */
export function admit(parts: AdmissionParts, request: IncomingMessage, head: RequestHead): Admission {
  const credential = readCredential(head);
  if (typeof credential === "string") return refused(credential);
  const { method = "", url: target = "" } = request;
  const decision = parts.access.decide({ method, target, apiKeyDigest: credential.apiKeyDigest });
  if (!decision.allowed) return refused(decision.reason);
  const { rule, principal, limits } = decision;
  if ((declaredLength(request) ?? 0) > limits.body) return refused("body-too-large", rule);
  if (parts.upstream.state() !== "ready") return refused("app-not-ready", rule);
  const claim = parts.allowances.claim(rule, principal, limits);
  if (!claim.granted) return refused("too-many-requests", rule, [["retry-after", String(claim.retryAfter)]]);
  return { admitted: true, rule, passesAuthorization: credential.passesAuthorization, bodyLimit: limits.body, claim };
}

function refused(problem: ProblemCode, rule: number | null = null, headers: readonly Header[] = []): Refused {
  return { admitted: false, problem, rule, headers };
}
