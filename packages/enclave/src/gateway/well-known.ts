/** The box's own endpoints. Everything below their folder ends here, whether it exists or not. */
import { EVIDENCE_PATH } from "@blindbox/attestation";
import { RESERVED_PATH } from "@blindbox/manifest";
import type { Attester } from "../parts.ts";
import { createAttestationEndpoint } from "./attestation-endpoint.ts";
import { type Exchange, refuse } from "./exchange.ts";

/** Where the gateway answers that it is up. */
export const HEALTH_PATH: string = `${RESERVED_PATH}/health`;

export interface WellKnown {
  answer(path: string, exchange: Exchange): void;
}

export function createWellKnown(attester: Attester): WellKnown {
  const attestation = createAttestationEndpoint(attester);
  return {
    answer(path, exchange) {
      if (path === EVIDENCE_PATH) void attestation.answer(exchange);
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
