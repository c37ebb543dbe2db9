/** How far a build is. `done` and `total` count bytes: of the source's layers as stored, then of the box's layers. */
export interface BuildProgress {
  readonly step: "read-image" | "write-image";
  readonly done: number;
  readonly total: number;
}

/** Counts bytes of one step and reports the sum. */
export class ProgressCounter {
  readonly #step: BuildProgress["step"];
  readonly #total: number;
  readonly #report: ((progress: BuildProgress) => void) | undefined;
  #done = 0;

  constructor(step: BuildProgress["step"], total: number, report: ((progress: BuildProgress) => void) | undefined) {
    this.#step = step;
    this.#total = total;
    this.#report = report;
  }

  add(bytes: number): void {
    this.#done += bytes;
    this.#report?.({ step: this.#step, done: this.#done, total: this.#total });
  }
}
