/** `/.well-known/blindbox/attestation`: fresh Evidence for a nonce (POST), the last Evidence without one (GET). */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  EVIDENCE_MEDIA_TYPE,
  leafHash,
  MAX_ATTESTATION_REQUEST_BYTES,
  parseAttestationRequest,
} from "@blindbox/attestation";
import { EncodingError } from "@blindbox/encoding";
import type { Attester } from "../parts.ts";
import { BodyTooLargeError, readWhole } from "./body.ts";
import { type Exchange, refuse } from "./exchange.ts";
import { exporterOf } from "./exporter.ts";
import type { ProblemCode } from "./problems.ts";

export interface AttestationEndpoint {
  /** Answers. Never rejects. */
  answer(exchange: Exchange): Promise<void>;
}

export function createAttestationEndpoint(attester: Attester): AttestationEndpoint {
  const outstanding = new WeakSet<Socket>();

  async function challenge(exchange: Exchange): Promise<void> {
    const { socket } = exchange.request;
    if (outstanding.has(socket)) return refuse(exchange, "nonce-outstanding");
    outstanding.add(socket);
    exchange.wantsBody();
    await answerWith(exchange, async () => attester.attest(await leafOf(exchange.request)));
    outstanding.delete(socket);
  }

  return {
    async answer(exchange) {
      const { method } = exchange.request;
      if (method === "POST") await challenge(exchange);
      else if (method === "GET") await answerWith(exchange, () => attester.latest());
      else refuse(exchange, "method-not-allowed", [["allow", "GET, POST"]]);
    },
  };
}

async function leafOf(request: IncomingMessage): Promise<Uint8Array> {
  const { binding, nonce } = parseAttestationRequest(await readWhole(request, MAX_ATTESTATION_REQUEST_BYTES));
  return leafHash(binding, nonce, binding === "tls-exporter" ? exporterOf(request.socket as TLSSocket) : undefined);
}

async function answerWith(exchange: Exchange, evidence: () => Promise<string>): Promise<void> {
  const { response } = exchange;
  try {
    const document = await evidence();
    response.sendDate = false;
    response.writeHead(200, {
      "content-type": EVIDENCE_MEDIA_TYPE,
      "content-length": Buffer.byteLength(document),
      "cache-control": "no-store",
    });
    response.end(document);
  } catch (error) {
    if (!response.destroyed) refuse(exchange, problemOf(error));
  }
}

function problemOf(error: unknown): ProblemCode {
  if (error instanceof EncodingError) return "bad-attestation-request";
  if (error instanceof BodyTooLargeError) return "body-too-large";
  // What is wrong with the connection's exporter is a fault of the box, and never a reason to bind less.
  return error instanceof TypeError ? "fault" : "evidence-unavailable";
}
