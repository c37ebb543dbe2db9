import { createHash } from "node:crypto";
import { BuildError } from "../build-error.ts";

/** What bytes must hash to, and how many they must be where that is known. */
export interface ExpectedBytes {
  readonly digest: string;
  readonly size: number | null;
}

/** Compares bytes with a digest while they pass. Only `finish` tells that they were right. */
export class DigestCheck {
  readonly #field: string;
  readonly #expected: ExpectedBytes;
  readonly #hash: ReturnType<typeof createHash> = createHash("sha256");
  #size = 0;

  constructor(field: string, expected: ExpectedBytes) {
    this.#field = field;
    this.#expected = expected;
  }

  update(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#expected.size !== null && this.#size > this.#expected.size) throw this.#sizeMismatch("more");
    this.#hash.update(bytes);
  }

  /** Throws unless all bytes were there and hash to what was expected. */
  finish(): void {
    if (this.#expected.size !== null && this.#size !== this.#expected.size) throw this.#sizeMismatch(`${this.#size}`);
    const digest = `sha256:${this.#hash.digest("hex")}`;
    if (digest === this.#expected.digest) return;
    throw new BuildError("digest-mismatch", { field: this.#field, expected: this.#expected.digest, actual: digest });
  }

  #sizeMismatch(actual: string): BuildError {
    const expected = `${this.#expected.size} bytes`;
    return new BuildError("size-mismatch", { field: this.#field, expected, actual: `${actual} bytes` });
  }
}
