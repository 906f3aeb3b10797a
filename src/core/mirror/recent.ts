// What was learned a moment ago and is worth remembering for another: a bounded map whose entries end by time.
import type { Clock } from './ports.ts';

export class Recent<V> {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #entries = new Map<string, { readonly value: V; readonly from: number; readonly until: number }>();

  /** `most`: entries kept; the oldest goes first. */
  constructor(clock: Clock, most = 10_000) {
    this.#clock = clock;
    this.#most = most;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.now();
    // An entry from the future was made before the clock was set back, and would stay for as long as that.
    if (entry.from <= now && now < entry.until) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: V, ms: number): void {
    this.#entries.delete(key);
    const now = this.#clock.now();
    this.#entries.set(key, { value, from: now, until: now + ms });
    if (this.#entries.size <= this.#most) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
