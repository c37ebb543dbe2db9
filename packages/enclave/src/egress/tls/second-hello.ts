/** What a client sends after a HelloRetryRequest: a second ClientHello, which may ask for another name than the first. */
import { ClientHelloError } from "./client-hello.ts";
import { HelloRecords, MAX_HELLO_BYTES } from "./hello-records.ts";

const CHANGE_CIPHER_SPEC = 20;
const APPLICATION_DATA = 23;
const RECORD_HEADER = 5;

/**
 * Reads it, past what a server drops there unread: the change_cipher_spec of middlebox compatibility (RFC 8446, section
 * 5), and early data (section 4.2.10) that was sent before the answer was known.
 */
export class SecondHello {
  readonly #hello = new HelloRecords();
  readonly #header: number[] = [];
  #dropped = 0;
  /** Bytes of the dropped record under way that are still to come. */
  #left = 0;
  #isHello = false;

  /**
   * Answers the server's name once the ClientHello is whole, and null before.
   *
   * @throws ClientHelloError as soon as what came cannot become a ClientHello that is let through.
   */
  push(chunk: Uint8Array): string | null {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0 && this.#header.length === 0) this.#isHello ||= !isDropped(chunk[at]);
      if (this.#isHello) return this.#hello.push(chunk.subarray(at));
      at += this.#left === 0 ? this.#takeHeader(chunk[at] ?? 0) : this.#drop(chunk.length - at);
    }
    return null;
  }

  #takeHeader(byte: number): number {
    this.#header.push(byte);
    const [, , , high = 0, low = 0] = this.#header;
    if (this.#header.length < RECORD_HEADER) return 1;
    this.#left = high * 256 + low;
    this.#dropped += RECORD_HEADER + this.#left;
    if (this.#left === 0 || this.#dropped > MAX_HELLO_BYTES) throw new ClientHelloError("malformed");
    this.#header.length = 0;
    return 1;
  }

  #drop(available: number): number {
    const bytes = Math.min(this.#left, available);
    this.#left -= bytes;
    return bytes;
  }
}

function isDropped(type: number | undefined): boolean {
  return type === CHANGE_CIPHER_SPEC || type === APPLICATION_DATA;
}
