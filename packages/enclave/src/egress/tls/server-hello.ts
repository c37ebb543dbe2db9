/** How a server answers a ClientHello, as far as it matters who reads the next one (RFC 8446, section 4.1.3). */
import { EgressError } from "../errors.ts";

/** The server goes on, or ends; or it asks for another ClientHello, by a message that is whole. */
export type ServerAnswer = "final" | "retry";

/** Bytes in which a server must have said which it is. A retry of common servers has some 100, with a cookie some 300. */
export const MAX_ANSWER_BYTES = 8192;

/** The random of a ServerHello that is a HelloRetryRequest: SHA-256 of that word. */
const retryRandom = Buffer.from("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", "hex");

const ALERT = 21;
const HANDSHAKE = 22;
const RECORD_HEADER = 5;
const MAX_FRAGMENT = 16_384;
const WARNING = 1;
const SERVER_HELLO = 2;
const MESSAGE_HEADER = 4;
const RANDOM = { start: MESSAGE_HEADER + 2, end: MESSAGE_HEADER + 2 + retryRandom.length };

/**
 * Takes the first bytes of a server, in pieces of any size, until it is clear which answer they are. Alerts of the level
 * `warning` may come first, as servers of TLS 1.2 send them about names.
 */
export class ServerHello {
  readonly #header: number[] = [];
  readonly #message = Buffer.alloc(MAX_ANSWER_BYTES);
  #seen = 0;
  #filled = 0;
  /** Bytes of the record under way that are still to come. */
  #left = 0;
  #type = 0;

  /**
   * Answers null where more is needed. Whatever stands behind what answers it is not looked at.
   *
   * @throws EgressError `refused-no-tls` where this is no TLS, `refused-tls-upstream` where it is no answer to a ClientHello.
   */
  push(chunk: Uint8Array): ServerAnswer | null {
    for (const byte of chunk) {
      this.#seen += 1;
      demand(this.#seen <= MAX_ANSWER_BYTES);
      const answer = this.#left === 0 ? this.#takeHeader(byte) : this.#takeFragment(byte);
      if (answer !== null) return answer;
    }
    return null;
  }

  #takeHeader(byte: number): null {
    this.#header.push(byte);
    const [type = 0, major = 3, , high = 0, low = 0] = this.#header;
    const isTls = (type === ALERT || type === HANDSHAKE) && major === 3;
    if (!isTls) throw new EgressError("refused-no-tls");
    // Nothing stands between the pieces of a message.
    demand(type === HANDSHAKE || this.#filled === 0);
    if (this.#header.length < RECORD_HEADER) return null;
    this.#type = type;
    this.#left = high * 256 + low;
    demand(this.#left > 0 && this.#left <= MAX_FRAGMENT);
    this.#header.length = 0;
    return null;
  }

  #takeFragment(byte: number): ServerAnswer | null {
    this.#left -= 1;
    if (this.#type === ALERT) return this.#takeAlert(byte);
    this.#message[this.#filled] = byte;
    this.#filled += 1;
    return answerOf(this.#message.subarray(0, this.#filled));
  }

  /** Level, then description. */
  #takeAlert(byte: number): ServerAnswer | null {
    demand(this.#left <= 1);
    return this.#left === 1 && byte !== WARNING ? "final" : null;
  }
}

function answerOf(message: Buffer): ServerAnswer | null {
  demand(message[0] === SERVER_HELLO);
  if (message.length < RANDOM.end) return null;
  if (!message.subarray(RANDOM.start, RANDOM.end).equals(retryRandom)) return "final";
  return message.length < MESSAGE_HEADER + message.readUIntBE(1, 3) ? null : "retry";
}

function demand(holds: boolean): void {
  if (!holds) throw new EgressError("refused-tls-upstream");
}
