// Who waits for something of which there is only so much: first come, first served, and nobody for ever.
import type { Rounds, Watched } from '../oci/rounds.ts';

interface Waiting {
  readonly wanted: number;
  readonly until: number;
  readonly settle: (had: number) => void;
}

export class Queue implements Watched {
  readonly #rounds: Rounds;
  readonly #takes: (wanted: number) => number;
  /** A Set keeps the order in which they came. */
  readonly #waiting = new Set<Waiting>();

  /** `takes`: takes as much of it as there is for one just now, and says how much that was. */
  constructor(rounds: Rounds, takes: (wanted: number) => number) {
    this.#rounds = rounds;
    this.#takes = takes;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** How much there was: at once, or by then; 0 if there was nothing, or the signal was first. */
  enter(wanted: number, until: number, signal: AbortSignal): number | Promise<number> {
    const had = this.#waiting.size === 0 ? this.#takes(wanted) : 0;
    if (had > 0) return had;
    const { promise, resolve } = Promise.withResolvers<number>();
    const leave = (): void => waiting.settle(0);
    const waiting: Waiting = {
      wanted,
      until,
      settle: (taken) => {
        signal.removeEventListener('abort', leave);
        this.#delete(waiting);
        resolve(taken);
      },
    };
    this.#waiting.add(waiting);
    this.#rounds.add(this);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    return promise;
  }

  look(now: number): void {
    for (const waiting of this.#waiting) {
      const had = this.#takes(waiting.wanted);
      // Who came later may wait until later.
      if (had === 0 && now < waiting.until) return;
      waiting.settle(had);
    }
  }

  #delete(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#rounds.delete(this);
  }
}
