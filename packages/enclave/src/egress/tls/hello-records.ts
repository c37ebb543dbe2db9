/** The record layer in front of a ClientHello (RFC 8446, section 5.1): one handshake message from however many records. */
import { ClientHelloError, readServerName } from "./client-hello.ts";

/**
 * Bytes of all records of a ClientHello. The largest real ones (post-quantum key shares, many tickets) stay below 10 KB;
 * OpenSSL itself takes 128 KB.
 */
export const MAX_HELLO_BYTES = 40_960;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const MAX_FRAGMENT = 16_384;

/** Takes what arrives, in pieces of any size, until the ClientHello is whole. Each byte is looked at once. */
export class HelloRecords {
  readonly #header: number[] = [];
  readonly #message = Buffer.alloc(MAX_HELLO_BYTES);
  #seen = 0;
  #filled = 0;
  /** Bytes of the record under way that are still to come. */
  #left = 0;

  /** Bytes that were looked at: once the ClientHello is whole, those of its records. */
  get length(): number {
    return this.#seen;
  }

  /**
   * Answers the server's name once the ClientHello is whole, and null before. Whatever stands behind its last record is
   * not looked at: that is for the other end.
   *
   * @throws ClientHelloError as soon as what came cannot become a ClientHello that is let through.
   */
  push(chunk: Uint8Array): string | null {
    for (let at = 0; at < chunk.length; ) {
      at += this.#left === 0 ? this.#takeHeader(chunk[at] ?? 0) : this.#takeFragment(chunk.subarray(at));
      if (this.#left === 0 && this.#header.length === 0 && this.#isWhole()) {
        return readServerName(this.#message.subarray(MESSAGE_HEADER, this.#filled));
      }
    }
    return null;
  }

  #takeHeader(byte: number): number {
    this.#count(1);
    this.#header.push(byte);
    const [type, major, minor, high = 0, low = 0] = this.#header;
    // OpenSSL writes 3.1 here and everyone else 3.3 or 3.1; 3.0 is SSL. Said at the first byte that is wrong.
    if (type !== HANDSHAKE || (major ?? 3) !== 3 || !isMinor(minor)) throw new ClientHelloError("malformed");
    if (this.#header.length < RECORD_HEADER) return 1;
    this.#left = high * 256 + low;
    if (this.#left === 0 || this.#left > MAX_FRAGMENT) throw new ClientHelloError("malformed");
    this.#header.length = 0;
    return 1;
  }

  #takeFragment(bytes: Uint8Array): number {
    const fragment = bytes.subarray(0, this.#left);
    this.#count(fragment.length);
    this.#message.set(fragment, this.#filled);
    this.#filled += fragment.length;
    this.#left -= fragment.length;
    if (this.#message[0] !== CLIENT_HELLO) throw new ClientHelloError("malformed");
    const end = this.#end();
    // A second message in the same record would not be read by us, but by the other end.
    if (end !== null && (end > MAX_HELLO_BYTES || this.#filled + this.#left > end)) {
      throw new ClientHelloError("malformed");
    }
    return fragment.length;
  }

  #end(): number | null {
    return this.#filled < MESSAGE_HEADER ? null : MESSAGE_HEADER + this.#message.readUIntBE(1, 3);
  }

  #isWhole(): boolean {
    return this.#filled === this.#end();
  }

  #count(bytes: number): void {
    this.#seen += bytes;
    if (this.#seen > MAX_HELLO_BYTES) throw new ClientHelloError("malformed");
  }
}

function isMinor(minor: number | undefined): boolean {
  return minor === undefined || (minor >= 1 && minor <= 3);
}
