// Alarms of a clock that only tests move.
import type { Alarm } from '../../src/core/upstream/stalls.ts';

export class Alarms {
  readonly #now: () => number;
  #set: { readonly at: number; readonly ring: () => void }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  readonly alarm: Alarm = (ms, ring) => void this.#set.push({ at: this.#now() + ms, ring });

  /** Those whose time has come. */
  ring(): void {
    const due = this.#set.filter(({ at }) => at <= this.#now());
    this.#set = this.#set.filter((each) => !due.includes(each));
    for (const { ring } of due) ring();
  }
}
