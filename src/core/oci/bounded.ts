// A map that forgets its oldest entry rather than grow, for whatever upstreams and clients choose the keys of.

export class Bounded<Value> {
  readonly #most: number;
  readonly #weigh: (key: string, value: Value) => number;
  #weight = 0;
  /** A Map keeps the order in which keys were added. */
  readonly #entries = new Map<string, Value>();

  /** `most`: of what `weigh` counts, all together; entries, if nobody says. */
  constructor(most: number, weigh: (key: string, value: Value) => number = () => 1) {
    this.#most = most;
    this.#weigh = weigh;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** Who asks so keeps it: what nobody has asked for the longest goes first. */
  use(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** As `use` does it. */
  getOr(key: string, make: () => Value): Value {
    const known = this.use(key);
    if (known !== undefined) return known;
    const value = make();
    this.set(key, value);
    return value;
  }

  /** The youngest from now on. */
  set(key: string, value: Value): void {
    this.delete(key);
    this.#entries.set(key, value);
    this.#weight += this.#weigh(key, value);
    if (this.#weight <= this.#most) return;
    for (const oldest of this.#entries.keys()) {
      this.delete(oldest);
      if (this.#weight <= this.#most) return;
    }
  }

  delete(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#weight -= this.#weigh(key, value);
  }

  /** The oldest first. */
  values(): Iterable<Value> {
    return this.#entries.values();
  }
}
