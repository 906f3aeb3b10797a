// What was learned a moment ago and is worth remembering for another: a bounded map whose entries end by time.
import { Bounded } from '../oci/bounded.ts';
import type { Clock } from './ports.ts';

export class Recent<V> {
  readonly #clock: Clock;
  readonly #entries: Bounded<{ readonly value: V; readonly from: number; readonly until: number }>;

  /** `most`: entries kept; the oldest goes first. */
  constructor(clock: Clock, most = 10_000) {
    this.#clock = clock;
    this.#entries = new Bounded(most);
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
    const now = this.#clock.now();
    this.#entries.set(key, { value, from: now, until: now + ms });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
