import { EncodingError } from "../encoding-error.ts";
import { plainView } from "./compare.ts";

/**
 * Reads fixed-layout bytes from front to back. Every read checks the bounds first and throws an EncodingError
 * (`truncated`) that names the field; call {@link ByteReader.end} last, or trailing bytes go unseen.
 *
 * @example
 * const reader = new ByteReader(bytes, "report");
 * const version = reader.u16le("version");
 * reader.mustBeZero(2, "reserved");
 * reader.end();
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  #offset = 0;

  /** `name` is what the bytes are, and the first part of every field's name in errors. */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = plainView(bytes);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#advance(1, field));
  }

  u16le(field: string): number {
    return this.#view.getUint16(this.#advance(2, field), true);
  }

  u32le(field: string): number {
    return this.#view.getUint32(this.#advance(4, field), true);
  }

  u64le(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field), true);
  }

  u16be(field: string): number {
    return this.#view.getUint16(this.#advance(2, field));
  }

  u32be(field: string): number {
    return this.#view.getUint32(this.#advance(4, field));
  }

  u64be(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field));
  }

  /** The next `length` bytes, as a view of the same memory: whoever keeps it keeps the whole input. */
  bytes(length: number, field: string): Uint8Array {
    const start = this.#advance(length, field);
    return this.#bytes.subarray(start, start + length);
  }

  /**
   * Reads `length` reserved bytes.
   *
   * @throws EncodingError `reserved-not-zero` where one of them is set.
   */
  mustBeZero(length: number, field: string): void {
    const reserved = this.bytes(length, field);
    const set = reserved.findIndex((byte) => byte !== 0);
    if (set === -1) return;
    throw new EncodingError("reserved-not-zero", this.#path(field), `${length} zero bytes`, `byte ${set} set`);
  }

  /**
   * Says that everything was read.
   *
   * @throws EncodingError `trailing-bytes` where it was not.
   */
  end(): void {
    if (this.remaining === 0) return;
    throw new EncodingError("trailing-bytes", this.#name, `${this.#offset} bytes`, `${this.#bytes.length} bytes`);
  }

  #advance(length: number, field: string): number {
    const start = this.#offset;
    // A length may come from the data or from a subtraction of two that do.
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new EncodingError("bad-encoding", this.#path(field), "a length", String(length));
    }
    if (length > this.remaining) {
      throw new EncodingError("truncated", this.#path(field), `${length} bytes`, `${this.remaining} bytes`);
    }
    this.#offset = start + length;
    return start;
  }

  #path(field: string): string {
    return `${this.#name}.${field}`;
  }
}
