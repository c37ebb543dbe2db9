/** The box's own endpoints. Everything below their folder ends here, whether it exists or not. */
import type { Socket } from "node:net";
import { EVIDENCE_PATH } from "@blindbox/attestation";
import { RESERVED_PATH } from "@blindbox/manifest";
import type { Attester } from "../parts.ts";
import { createAttestationEndpoint } from "./attestation-endpoint.ts";
import { type AuditDocument, type AuditEndpointOptions, createAuditEndpoint } from "./audit-endpoint.ts";
import { type Exchange, refuse } from "./exchange.ts";

/** Where the gateway answers that it is up. */
export const HEALTH_PATH: string = `${RESERVED_PATH}/health`;

export interface WellKnown {
  answer(path: string, exchange: Exchange): void;
}

export interface WellKnownOptions {
  readonly attester: Attester;
  /** What only auditors may read, by path. */
  readonly documents: ReadonlyMap<string, AuditDocument>;
  readonly auditors: AuditEndpointOptions;
  /** Answers of one connection that its caller has not read yet; one more request cuts it. */
  readonly maxUnread: number;
}

export function createWellKnown({ attester, documents, auditors, maxUnread }: WellKnownOptions): WellKnown {
  const attestation = createAttestationEndpoint(attester);
  const answerAuditor = createAuditEndpoint(auditors);
  const unread = new WeakMap<Socket, number>();
  const takes = ({ request: { socket }, response }: Exchange): boolean => {
    const before = unread.get(socket) ?? 0;
    if (before >= maxUnread) return false;
    unread.set(socket, before + 1);
    response.once("close", () => unread.set(socket, (unread.get(socket) ?? 1) - 1));
    return true;
  };
  return {
    answer(path, exchange) {
      const document = documents.get(path);
      if (!takes(exchange)) exchange.request.socket.destroy();
      else if (path === EVIDENCE_PATH) void attestation.answer(exchange);
      else if (document !== undefined) answerAuditor(exchange, document);
      else if (path === HEALTH_PATH) answerHealth(exchange);
      else refuse(exchange, "not-found");
    },
  };
}

/** True for what is never passed to the application, in any spelling that it might read as ours. */
export function isOurs(plainPath: string): boolean {
  const path = plainPath.toLowerCase();
  return path === RESERVED_PATH || path.startsWith(`${RESERVED_PATH}/`);
}

// A constant: whether the application is well is for admitted callers only, or it could talk to the host through this.
function answerHealth(exchange: Exchange): void {
  const { request, response } = exchange;
  if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(exchange, "method-not-allowed", [["allow", "GET, HEAD"]]);
    return;
  }
  const body = '{"status":"up"}';
  response.sendDate = false;
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(body);
}
