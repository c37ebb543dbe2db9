/** Turns of connections that keep the box busy: a few in each round of the event loop, so that all others are heard too. */
export class Turns {
  readonly #perRound: number;
  #waiting: (() => void)[] = [];
  #isGoing = false;

  constructor(perRound: number) {
    this.#perRound = perRound;
  }

  /** Calls `next` once those who waited before had their turn. */
  wait(next: () => void): void {
    this.#waiting.push(next);
    if (!this.#isGoing) this.#goSoon();
  }

  #goSoon(): void {
    this.#isGoing = true;
    setImmediate(() => this.#go());
  }

  #go(): void {
    const due = this.#waiting.splice(0, this.#perRound);
    if (this.#waiting.length > 0) this.#goSoon();
    else this.#isGoing = false;
    for (const next of due) next();
  }
}
