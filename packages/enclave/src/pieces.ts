/** Small pieces of a stream, joined while they wait. Water marks count bytes, and a buffer of one byte costs hundreds. */

/** From this size on, bytes are not copied. A smaller piece may be a view of a large read, which it would keep alive. */
const largeBytes = 4096;

/** As many pieces one stream may bring before all others had their turn. */
export const piecesInTurn = 512;

/** Of one stream, joined and waiting: more is left to its source. */
export const waitingBytes = 65_536;

/** Worth to be passed on though more may come in the same turn. */
export const joinedBytes = 16_384;

/** Bytes in order, in as few buffers as they need. */
export class Pieces {
  #closed: Buffer[] = [];
  #open: Buffer | null = null;
  #filled = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (piece.length >= largeBytes) {
      this.#close();
      this.#closed.push(piece);
      return;
    }
    if (this.#open !== null && this.#open.length - this.#filled < piece.length) this.#close();
    this.#open ??= Buffer.allocUnsafeSlow(largeBytes);
    this.#filled += piece.copy(this.#open, this.#filled);
  }

  /** All bytes, at most one small buffer next to another; none are left. */
  take(): Buffer[] {
    this.#close();
    const taken = this.#closed;
    this.#closed = [];
    this.#bytes = 0;
    return taken;
  }

  #close(): void {
    if (this.#open !== null) this.#closed.push(this.#open.subarray(0, this.#filled));
    this.#open = null;
    this.#filled = 0;
  }
}
