// Who waits for something of which there is only so much: first come, first served, and nobody for ever.
import type { Rounds, Watched } from '../oci/rounds.ts';

interface Waiting {
  readonly weight: number;
  readonly until: number;
  readonly settle: (had: boolean) => void;
}

export class Queue implements Watched {
  readonly #rounds: Rounds;
  readonly #takes: (weight: number) => boolean;
  /** A Set keeps the order in which they came. */
  readonly #waiting = new Set<Waiting>();

  /** `takes`: takes as much if there is as much. */
  constructor(rounds: Rounds, takes: (weight: number) => boolean) {
    this.#rounds = rounds;
    this.#takes = takes;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** Undefined: it was there. Else whether it came by then. Rejects with the signal's reason, if that is first. */
  enter(weight: number, until: number, signal?: AbortSignal): Promise<boolean> | undefined {
    if (this.#waiting.size === 0 && this.#takes(weight)) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const leave = (): void => {
      this.#delete(waiting);
      reject(signal?.reason);
    };
    const waiting: Waiting = {
      weight,
      until,
      settle: (had) => {
        signal?.removeEventListener('abort', leave);
        this.#delete(waiting);
        resolve(had);
      },
    };
    this.#waiting.add(waiting);
    this.#rounds.add(this);
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted === true) leave();
    return promise;
  }

  look(now: number): void {
    for (const waiting of this.#waiting) {
      const had = this.#takes(waiting.weight);
      // Who came later may wait until later.
      if (!had && now < waiting.until) return;
      waiting.settle(had);
    }
  }

  #delete(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#rounds.delete(this);
  }
}
