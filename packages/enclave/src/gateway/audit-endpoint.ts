/** What only principals with `audit: true` may read: the egress ledger, and the log of who asked. */
import type { Identity } from "@blindbox/manifest";
import { type Callers, type ClientCertificate, readPresented } from "./credentials/index.ts";
import { type Exchange, refuse } from "./exchange.ts";
import { readHead } from "./head.ts";
import type { ProblemCode } from "./problems.ts";

/** One document for auditors. */
export interface AuditDocument {
  readonly mediaType: string;
  /** Its text now. */
  readonly text: () => string;
}

export interface AuditEndpointOptions {
  readonly callers: Callers;
  readonly certificateOf: (exchange: Exchange) => ClientCertificate;
}

/** Answers one exchange with one document; never throws. */
export type AuditEndpoint = (exchange: Exchange, document: AuditDocument) => void;

/** Whoever may not audit gets the same answers as at the application's door, and learns nothing of the documents. */
export function createAuditEndpoint({ callers, certificateOf }: AuditEndpointOptions): AuditEndpoint {
  return (exchange, document) => {
    const { request } = exchange;
    if (request.method !== "GET") return refuse(exchange, "method-not-allowed", [["allow", "GET"]]);
    const presented = readPresented(readHead(request.rawHeaders), callers.takesTokens);
    if (typeof presented === "string") return refuse(exchange, presented);
    const answer = (identity: Identity): void => answerAs(exchange, identity, document);
    const identity = callers.identify(presented, certificateOf(exchange));
    if (!(identity instanceof Promise)) return answer(identity);
    void identity.then(answer, () => refuse(exchange, "fault"));
  };
}

function answerAs(exchange: Exchange, identity: Identity, document: AuditDocument): void {
  const problem = refusalOf(identity);
  if (problem === null) answerWith(exchange, document);
  else refuse(exchange, problem);
}

/** A caller without credentials is asked for some; one whose credentials do not reach is told that they do not. */
function refusalOf(identity: Identity): ProblemCode | null {
  if (!identity.known) return "unauthenticated";
  if (identity.audit) return null;
  return identity.ids.includes("anonymous") ? "unauthenticated" : "forbidden";
}

function answerWith({ response }: Exchange, { mediaType, text }: AuditDocument): void {
  const body = text();
  response.sendDate = false;
  response.writeHead(200, {
    "content-type": mediaType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(body);
}
