const firstCapacity = 256;

function whole(value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new TypeError(`expected an integer from 0 to ${max}, got ${value}`);
}

function wholeU64(value: bigint): bigint {
  if (typeof value === "bigint" && value >= 0n && value < 1n << 64n) return value;
  throw new TypeError(`expected an integer of 64 bits, got ${value}`);
}

/**
 * Writes fixed-layout bytes from front to back. A number that does not fit its field is a TypeError, never cut off.
 *
 * @example
 * const bytes = new ByteWriter().u16le(1).zero(2).bytes(nonce).finish();
 */
export class ByteWriter {
  #bytes = new Uint8Array(firstCapacity);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    const field = whole(value, 0xff);
    const start = this.#grow(1);
    this.#view.setUint8(start, field);
    return this;
  }

  u16le(value: number): this {
    const field = whole(value, 0xffff);
    const start = this.#grow(2);
    this.#view.setUint16(start, field, true);
    return this;
  }

  u32le(value: number): this {
    const field = whole(value, 0xffff_ffff);
    const start = this.#grow(4);
    this.#view.setUint32(start, field, true);
    return this;
  }

  u64le(value: bigint): this {
    const field = wholeU64(value);
    const start = this.#grow(8);
    this.#view.setBigUint64(start, field, true);
    return this;
  }

  u16be(value: number): this {
    const field = whole(value, 0xffff);
    const start = this.#grow(2);
    this.#view.setUint16(start, field);
    return this;
  }

  u32be(value: number): this {
    const field = whole(value, 0xffff_ffff);
    const start = this.#grow(4);
    this.#view.setUint32(start, field);
    return this;
  }

  u64be(value: bigint): this {
    const field = wholeU64(value);
    const start = this.#grow(8);
    this.#view.setBigUint64(start, field);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const start = this.#grow(bytes.length);
    this.#bytes.set(bytes, start);
    return this;
  }

  /** `length` zero bytes: reserved fields. */
  zero(length: number): this {
    this.#grow(whole(length, Number.MAX_SAFE_INTEGER));
    return this;
  }

  /** Everything written so far, in a new array. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for `length` zero bytes and returns where they start. Memory and view may be others afterwards. */
  #grow(length: number): number {
    const start = this.#length;
    const end = start + length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = end;
    return start;
  }
}
