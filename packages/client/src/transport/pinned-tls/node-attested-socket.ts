/** One connection from its first packet to the moment at which it may carry requests. */
import { randomBytes } from "node:crypto";
import type { SecureContext, TLSSocket } from "node:tls";
import type { AttestationResult } from "@blindbox/attestation";
import { AnswerError } from "../answer-error.ts";
import { ChannelError } from "../channel-error.ts";
import type { TransportOptions } from "../transport.ts";
import { exchangeEvidence } from "./node-exchange.ts";
import { openTls, readChannel } from "./node-tls.ts";

/** What attesting a connection takes. */
export type AttestOptions = Omit<TransportOptions, "maxEvidenceAge" | "maxConnections" | "refusal" | "certificate">;

/** A connection that was judged, and that has carried nothing but the attestation exchange. */
export interface JudgedSocket {
  readonly socket: TLSSocket;
  readonly result: AttestationResult;
  /** When the nonce was made, in milliseconds since 1970 by `now`. */
  readonly attestedAt: number;
}

/**
 * Opens a connection, asks for Evidence on it, and judges that. The connection is left open whatever the result is: what
 * becomes of it is the caller's to decide. Rejects with a ConnectionError.
 */
export async function openJudged(options: AttestOptions, context: SecureContext): Promise<JudgedSocket> {
  const socket = await openTls(options.origin, context, options.timeouts.connect);
  const attestedAt = options.now().getTime();
  try {
    return { socket, result: await judge(socket, options), attestedAt };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function judge(socket: TLSSocket, options: AttestOptions): Promise<AttestationResult> {
  const nonce = new Uint8Array(randomBytes(32));
  try {
    const { exporter, tlsSpki } = readChannel(socket);
    const document = await exchangeEvidence(socket, options.origin, nonce, options.timeouts.attestation);
    socket.on("readable", closeOnUnaskedBytes);
    const channel = { binding: "tls-exporter", exporter } as const;
    return await options.appraiser.appraise({ document, nonce, channel, peerKey: { tlsSpki } });
  } catch (error) {
    if (error instanceof AnswerError || error instanceof ChannelError) return options.appraiser.refuse(error);
    throw error;
  }
}

/** Until the socket is handed over nobody asks anything of the peer: what it says all the same would pass for an answer. */
function closeOnUnaskedBytes(this: TLSSocket): void {
  if (this.read() !== null) this.destroy();
}

/** The socket for the HTTP client, or `null` where it ended, or the peer spoke unasked, since it was judged. */
export function handOver(socket: TLSSocket): TLSSocket | null {
  socket.off("readable", closeOnUnaskedBytes);
  if (!socket.destroyed && !socket.readableEnded && socket.readableLength === 0) return socket;
  socket.destroy();
  return null;
}
