// One of a kind at a time: whoever asks for what is already under way gets the same promise.

export class Flights<V> {
  readonly #running = new Map<string, Promise<V>>();

  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** `start` runs before this returns, and at most once until its promise has settled. */
  share(key: string, start: () => Promise<V>): Promise<V> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const flight = start().finally(() => this.#running.delete(key));
    this.#running.set(key, flight);
    return flight;
  }
}
