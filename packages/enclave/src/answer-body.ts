/** An answer's body on its way to whoever asked. */
import type { ServerResponse } from "node:http";
import { joinedBytes, Pieces, piecesInTurn, waitingBytes } from "./pieces.ts";

/**
 * Writes an answer's body with one piece on its way at a time: what comes meanwhile is joined behind it, so that neither
 * end can fill the box with small pieces by giving or taking slowly.
 */
export class AnswerBody {
  readonly #response: ServerResponse;
  readonly #resume: () => void;
  readonly #pieces = new Pieces();
  #inTurn = 0;
  #isWriting = false;
  #isFull = false;
  #awaitsTurn = false;

  /** @param resume called when more may come, after `add` said no. */
  constructor(response: ServerResponse, resume: () => void) {
    this.#response = response;
    this.#resume = resume;
  }

  /** Takes a piece in every case; false where the next one is to wait. */
  add(piece: Buffer): boolean {
    this.#pieces.add(piece);
    this.#inTurn += 1;
    if (this.#pieces.bytes >= joinedBytes) this.#pass();
    if (!this.#awaitsTurn) setImmediate(() => this.#next());
    this.#awaitsTurn = true;
    this.#isFull = this.#pieces.bytes >= waitingBytes || this.#inTurn >= piecesInTurn;
    return !this.#isFull;
  }

  /** Passes on what is there, and ends the answer. */
  end(): void {
    for (const piece of this.#pieces.take()) this.#response.write(piece);
    this.#response.end();
  }

  #next(): void {
    this.#awaitsTurn = false;
    this.#inTurn = 0;
    this.#pass();
    this.#goOn();
  }

  #pass(): void {
    if (this.#isWriting || this.#pieces.bytes === 0 || this.#response.writableEnded) return;
    this.#isWriting = true;
    const pieces = this.#pieces.take();
    const last = pieces.pop();
    for (const piece of pieces) this.#response.write(piece);
    this.#response.write(last, () => this.#written());
  }

  #written(): void {
    this.#isWriting = false;
    this.#pass();
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#isFull || this.#pieces.bytes >= waitingBytes || this.#inTurn >= piecesInTurn) return;
    this.#isFull = false;
    this.#resume();
  }
}
