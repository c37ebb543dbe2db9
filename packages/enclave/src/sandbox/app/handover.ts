/** Descriptors on their way to a child, and the numbers that they will have there. */
import { FIRST_DESCRIPTOR } from "../program/run.ts";
import { closeAll, scratchDescriptor } from "../scratch.ts";

export class Handover {
  readonly #descriptors: (number | "pipe")[] = [];
  readonly #own: number[] = [];
  readonly #scratch: string;

  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  get descriptors(): readonly (number | "pipe")[] {
    return this.#descriptors;
  }

  /** Returns the number in the child. */
  add(descriptor: number | "pipe"): number {
    this.#descriptors.push(descriptor);
    return FIRST_DESCRIPTOR + this.#descriptors.length - 1;
  }

  /** A nameless file with this content, opened for reading. */
  addFile(content: Uint8Array | string, mode: number): number {
    const descriptor = scratchDescriptor(this.#scratch, content, mode);
    this.#own.push(descriptor);
    return this.add(descriptor);
  }

  /** Closes our copies of the files; the child has its own. */
  close(): void {
    closeAll(this.#own.splice(0));
  }
}
