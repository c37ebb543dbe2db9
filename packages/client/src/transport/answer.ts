/**
 * A small strict reader of the one HTTP/1.1 answer that the attestation exchange expects. It refuses what a general HTTP
 * parser repairs: whoever answers here has not been verified yet.
 */
import { type AnswerHead, readAnswerHead } from "./answer-head.ts";
import { AnswerError } from "./answer-error.ts";

/** A box's own head is some 200 bytes; this leaves room for what a proxy adds, and none for an endless one. */
export const MAX_HEAD_BYTES = 8192;

const headEnd = [13, 10, 13, 10];

/** Collects one answer from chunks of any size. */
export class AnswerReader {
  readonly #head: Uint8Array = new Uint8Array(MAX_HEAD_BYTES);
  #headLength = 0;
  #answer: AnswerHead | null = null;
  #body: Uint8Array = new Uint8Array(0);
  #bodyLength = 0;

  /**
   * Takes the next bytes; returns the whole body once it is complete, and `null` before.
   *
   * @throws AnswerError for anything but status 200, the Evidence's media type, one Content-Length within the limit, and
   * not one byte behind the body.
   */
  push(chunk: Uint8Array): Uint8Array | null {
    const rest = this.#answer === null ? this.#pushHead(chunk) : chunk;
    if (this.#answer === null) return null;
    if (rest.length > this.#body.length - this.#bodyLength) throw new AnswerError("answer-trailing-bytes");
    this.#body.set(rest, this.#bodyLength);
    this.#bodyLength += rest.length;
    return this.#bodyLength === this.#body.length ? this.#body : null;
  }

  #pushHead(chunk: Uint8Array): Uint8Array {
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#headLength === MAX_HEAD_BYTES) throw new AnswerError("answer-head-size");
      this.#head[this.#headLength] = chunk[at] ?? 0;
      this.#headLength += 1;
      if (!this.#atHeadEnd()) continue;
      this.#answer = readAnswerHead(this.#head.subarray(0, this.#headLength - headEnd.length));
      this.#body = new Uint8Array(this.#answer.contentLength);
      return chunk.subarray(at + 1);
    }
    return chunk.subarray(chunk.length);
  }

  #atHeadEnd(): boolean {
    const start = this.#headLength - headEnd.length;
    return start > 0 && headEnd.every((byte, at) => this.#head[start + at] === byte);
  }
}
