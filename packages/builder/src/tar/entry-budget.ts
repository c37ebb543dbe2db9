import { BuildError } from "../build-error.ts";
import type { ImageLimits } from "../limits.ts";
import type { LayerEntry } from "./layer-entry.ts";

/** Counts down what the entries of all layers of an image may cost together. */
export class EntryBudget {
  readonly #limits: ImageLimits;
  #entries: number;
  #pathBytes: number;

  constructor(limits: ImageLimits) {
    this.#limits = limits;
    this.#entries = limits.entries;
    this.#pathBytes = limits.pathBytes;
  }

  /** Throws a BuildError `limit-exceeded` for an entry that is one too many, or whose path is. */
  take(entry: LayerEntry): void {
    this.takeName();
    const target = "target" in entry ? entry.target : "";
    this.takePath(Buffer.byteLength(entry.path) + Buffer.byteLength(target));
  }

  /** For a directory that no entry describes. */
  takeName(): void {
    this.#entries -= 1;
    if (this.#entries < 0) throw exceeded(`at most ${this.#limits.entries} entries and implied directories`);
  }

  takePath(bytes: number): void {
    this.#pathBytes -= bytes;
    if (this.#pathBytes < 0) throw exceeded(`paths of at most ${this.#limits.pathBytes} bytes together`);
  }
}

function exceeded(expected: string): BuildError {
  return new BuildError("limit-exceeded", { field: "image", expected, actual: "more" });
}
