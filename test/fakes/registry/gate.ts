// A gate: whoever comes to it waits until the test lets it through.
export class Gate {
  readonly #waiting: (() => void)[] = [];
  readonly #watching: { count: number; resolve: () => void }[] = [];
  #arrived = 0;
  #permits = 0;

  /** Lets so many through: those who wait, then those who come. */
  pass(count: number): void {
    this.#permits += count;
    while (this.#permits > 0 && this.#waiting.length > 0) {
      this.#permits -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** From now on nobody waits. */
  open(): void {
    this.pass(Number.POSITIVE_INFINITY);
  }

  /** Resolves when so many have come, in all. */
  reached(count = 1): Promise<void> {
    if (this.#arrived >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watching.push({ count, resolve }));
  }

  enter(): Promise<void> {
    this.#arrived += 1;
    for (const each of this.#watching) if (this.#arrived >= each.count) each.resolve();
    if (this.#permits > 0) {
      this.#permits -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
