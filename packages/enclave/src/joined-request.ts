/** Requests whose bodies cost what their bytes cost, however small the chunks are in which they come. */
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { joinedBytes, Pieces, piecesInTurn } from "./pieces.ts";
import { Turns } from "./turns.ts";

/** The full read of a connection, 64 KiB, may hold ten thousand chunks, which take some 10 ms. */
const readsInRound = 4;

/** What an HTTP server is to make of requests (its option `IncomingMessage`). */
export function createRequestClass(): typeof IncomingMessage {
  const turns = new Turns(readsInRound);
  return class extends JoinedRequest {
    constructor(socket: Socket) {
      super(socket, turns);
    }
  };
}

/**
 * The parser brings a buffer for each chunk of what it read, and does not stop in between: here they are joined until the
 * read is over, and on while earlier bytes are not taken. A connection that brings very many is read again only after the
 * others were.
 */
class JoinedRequest extends IncomingMessage {
  readonly #turns: Turns;
  readonly #pieces = new Pieces();
  #inTurn = 0;
  #isResting = false;
  #isWanted = false;
  #awaitsTurn = false;

  constructor(socket: Socket, turns: Turns) {
    super(socket);
    this.#turns = turns;
  }

  override push(piece: Buffer | null): boolean {
    if (piece === null) {
      this.#pass();
      return super.push(null);
    }
    this.#pieces.add(piece);
    this.#inTurn += 1;
    this.#isResting ||= this.#inTurn >= piecesInTurn;
    this.#awaitTurn();
    const goesOn = this.#pieces.bytes < joinedBytes || this.#pass();
    return goesOn && !this.#isResting;
  }

  override read(size?: number): Buffer | null {
    const bytes = super.read(size) as Buffer | null;
    if (this.#pieces.bytes > 0 && this.readableLength === 0) this.#awaitTurn();
    return bytes;
  }

  override _read(size: number): void {
    this.#isWanted = this.#isResting;
    if (!this.#isResting) super._read(size);
  }

  #awaitTurn(): void {
    if (this.#awaitsTurn) return;
    this.#awaitsTurn = true;
    setImmediate(() => {
      if (this.#isResting) this.#turns.wait(() => this.#go());
      else this.#go();
    });
  }

  #go(): void {
    this.#awaitsTurn = false;
    this.#inTurn = 0;
    this.#isResting = false;
    if (this.readableLength === 0) this.#pass();
    if (this.#isWanted) this._read(0);
  }

  #pass(): boolean {
    let goesOn = true;
    for (const piece of this.#pieces.take()) goesOn = super.push(piece);
    return goesOn;
  }
}
