// Work in small pieces, by many, in turns: a few pieces in each round of the event loop, so that nobody else waits for long.

/** Pieces in one round. */
const atOnce = 2;

export class Rota {
  readonly #waiting: (() => void)[] = [];
  #running = false;

  /** Resolves when it is the caller's turn: behind everybody who waits already. The piece of work follows at once. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#running) return;
      this.#running = true;
      setImmediate(this.#round);
    });
  }

  readonly #round = (): void => {
    for (const begin of this.#waiting.splice(0, atOnce)) begin();
    this.#running = this.#waiting.length > 0;
    if (this.#running) setImmediate(this.#round);
  };
}
