/** `/.well-known/blindbox/ledger`: what left the box, for principals that may audit it. */
import { LEDGER_MEDIA_TYPE } from "@blindbox/attestation";
import type { AuditDecider } from "@blindbox/manifest";
import { readCredential } from "./credential.ts";
import { type Exchange, refuse } from "./exchange.ts";
import { readHead } from "./head.ts";
import type { ProblemCode } from "./problems.ts";

export interface LedgerEndpointOptions {
  readonly auditors: AuditDecider;
  /** The ledger's document now. */
  readonly document: () => string;
}

/** Answers one exchange; never throws. */
export type LedgerEndpoint = (exchange: Exchange) => void;

/** Whoever may not audit gets the same answers as at the application's door, and learns nothing of the ledger. */
export function createLedgerEndpoint({ auditors, document }: LedgerEndpointOptions): LedgerEndpoint {
  return (exchange) => {
    const { request } = exchange;
    if (request.method !== "GET") return refuse(exchange, "method-not-allowed", [["allow", "GET"]]);
    const problem = refusalOf(exchange, auditors);
    if (problem !== null) return refuse(exchange, problem);
    answerWith(exchange, document());
  };
}

function refusalOf({ request }: Exchange, auditors: AuditDecider): ProblemCode | null {
  const credential = readCredential(readHead(request.rawHeaders));
  if (typeof credential === "string") return credential;
  if (credential.apiKeyDigest === null) return "unauthenticated";
  const decision = auditors.decide(credential.apiKeyDigest);
  return decision === "allowed" ? null : decision;
}

function answerWith({ response }: Exchange, text: string): void {
  response.sendDate = false;
  response.writeHead(200, {
    "content-type": LEDGER_MEDIA_TYPE,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(text);
}
