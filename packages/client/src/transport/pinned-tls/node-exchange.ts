/** The attestation exchange on the raw socket of a new connection, before an HTTP client gets hold of it. */
import type { TLSSocket } from "node:tls";
import { EVIDENCE_MEDIA_TYPE, EVIDENCE_PATH, formatAttestationRequest } from "@blindbox/attestation";
import { ConnectionError, TimeoutError } from "../../connection-error.ts";
import { AnswerError } from "../answer-error.ts";
import { AnswerReader } from "../answer.ts";

/**
 * Asks for Evidence that is bound to this connection's exporter and to `nonce`; resolves to the document's bytes. Rejects
 * with an AnswerError where the answer is no Evidence, or a ConnectionError.
 */
export function exchangeEvidence(
  socket: TLSSocket,
  origin: URL,
  nonce: Uint8Array,
  milliseconds: number,
): Promise<Uint8Array> {
  const answer = readAnswer(socket, milliseconds);
  socket.write(writeRequest(origin, nonce));
  return answer;
}

function writeRequest(origin: URL, nonce: Uint8Array): string {
  const body = formatAttestationRequest({ binding: "tls-exporter", nonce });
  const head = [
    `POST ${EVIDENCE_PATH} HTTP/1.1`,
    `host: ${origin.host}`,
    `accept: ${EVIDENCE_MEDIA_TYPE}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

function readAnswer(socket: TLSSocket, milliseconds: number): Promise<Uint8Array> {
  const reader = new AnswerReader();
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      socket.off("readable", onReadable).off("error", onEnd).off("close", onEnd);
      end();
    };
    const fail = (error: unknown): void => settle(() => reject(error instanceof Error ? error : new Error("unknown")));
    const onEnd = (): void => fail(new ConnectionError("closed", "attestation", "no complete answer came"));
    const onReadable = (): void => {
      try {
        const body = readAvailable(socket, reader);
        if (body !== null) settle(() => resolve(body));
      } catch (error) {
        fail(busyOr(error));
      }
    };
    const timer = setTimeout(() => fail(new TimeoutError("attestation", milliseconds)), milliseconds);
    socket.on("readable", onReadable).on("error", onEnd).on("close", onEnd);
  });
}

function readAvailable(socket: TLSSocket, reader: AnswerReader): Uint8Array | null {
  let body: Uint8Array | null = null;
  for (let chunk = nextChunk(socket); chunk !== null; chunk = nextChunk(socket)) body = reader.push(chunk);
  return body;
}

function nextChunk(socket: TLSSocket): Uint8Array | null {
  return socket.read() as Uint8Array | null;
}

/** A box whose queue is full says so with 503: no Evidence for now, which is not the same as no enclave. */
function busyOr(error: unknown): unknown {
  const busy = error instanceof AnswerError && error.actual === "status 503";
  return busy ? new ConnectionError("busy", "attestation", "status 503") : error;
}
