/** What a caller knows of the connection that it asks about, checked before anything else is. */
import { bytesOf, exactMembers, word, wrong } from "./arguments.ts";

/** How the asker tied its nonce to the connection. */
export type ChannelEvidence =
  | {
      readonly binding: "tls-exporter";
      /** 32 bytes of {@link EXPORTER_LABEL} of this connection, taken at the asker's end. */
      readonly exporter: Uint8Array;
    }
  | { readonly binding: "none" };

/** What the asker knows of its connection. */
export interface Connection {
  /** The 32 bytes that were sent; `null` for GET, where freshness is then skipped and the status at most `warning`. */
  readonly nonce: Uint8Array | null;
  readonly channel: ChannelEvidence;
  /** The key that this connection's TLS handshake proved; `null` where the runtime shows none (at most `warning`). */
  readonly peerKey: {
    /** DER SubjectPublicKeyInfo of the certificate that the peer presented. */
    readonly tlsSpki: Uint8Array;
  } | null;
}

/** One question to a Verifier. Every member is required. */
export interface VerificationInput extends Connection {
  /** The answer's body as it came. */
  readonly document: Uint8Array | string;
}

/**
 * The caller's input, checked.
 *
 * @throws TypeError naming the path of what is missing, unknown or not what it has to be.
 */
export function readInput(value: unknown): VerificationInput {
  const input = exactMembers(value, "input", ["document", "nonce", "channel", "peerKey"]);
  const nonce = input["nonce"];
  return {
    document: readDocument(input["document"]),
    nonce: nonce === null ? null : bytesOf(nonce, "input.nonce", 32),
    channel: readChannel(input["channel"]),
    peerKey: input["peerKey"] === null ? null : readPeerKey(input["peerKey"]),
  };
}

function readDocument(document: unknown): Uint8Array | string {
  if (typeof document === "string" || document instanceof Uint8Array) return document;
  return wrong("input.document", "the answer's body, as text or bytes");
}

function readChannel(value: unknown): ChannelEvidence {
  const binding = (value as { readonly binding?: unknown } | null | undefined)?.binding;
  const mode = word(binding, "input.channel.binding", ["tls-exporter", "none"]);
  const channel = exactMembers(value, "input.channel", mode === "none" ? ["binding"] : ["binding", "exporter"]);
  if (mode === "none") return { binding: mode };
  const exporter = bytesOf(channel["exporter"], "input.channel.exporter", 32);
  if (exporter.every((byte) => byte === 0)) wrong("input.channel.exporter", "bytes that are not all zero");
  return { binding: mode, exporter };
}

function readPeerKey(value: unknown): { readonly tlsSpki: Uint8Array } {
  const peerKey = exactMembers(value, "input.peerKey", ["tlsSpki"]);
  return { tlsSpki: bytesOf(peerKey["tlsSpki"], "input.peerKey.tlsSpki") };
}
