// What was learned a moment ago and is worth remembering for another: a bounded map whose entries end by time.
import type { Clock } from './ports.ts';

export class Recent<V> {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #entries = new Map<string, { readonly value: V; readonly until: number }>();

  /** `most`: entries kept; the oldest goes first. */
  constructor(clock: Clock, most = 10_000) {
    this.#clock = clock;
    this.#most = most;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > this.#clock.now()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: V, ms: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: this.#clock.now() + ms });
    if (this.#entries.size <= this.#most) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
