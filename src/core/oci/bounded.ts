// A map that forgets its oldest entry rather than grow, for whatever upstreams and clients choose the keys of.

export class Bounded<Value> {
  readonly #most: number;
  /** A Map keeps the order in which keys were added. */
  readonly #entries = new Map<string, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** Who asks so keeps it: what nobody has asked for the longest goes first. */
  getOr(key: string, make: () => Value): Value {
    const value = this.#entries.get(key) ?? make();
    this.set(key, value);
    return value;
  }

  /** The youngest from now on. */
  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** The oldest first. */
  values(): Iterable<Value> {
    return this.#entries.values();
  }
}
