// Whatever waits for a time, watched over by one timer: none is set or moved when bytes come.

export interface Watched {
  /** Milliseconds, of the clock that all of them are told. */
  look(now: number): void;
}

/** Calls again and again until what it gives back is called. Keeps no process alive. */
export type Every = (ms: number, tick: () => void) => () => void;

export class Rounds {
  readonly now: () => number;
  readonly #every: Every;
  readonly #pause: number;
  readonly #watched = new Set<Watched>();
  #stop: (() => void) | undefined;

  /** `pause`: milliseconds from one to the next. */
  constructor(now: () => number, every: Every, pause: number) {
    this.#pause = pause;
    this.now = now;
    this.#every = every;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    this.#stop ??= this.#every(this.#pause, () => this.#walk());
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #walk(): void {
    const now = this.now();
    for (const each of this.#watched) each.look(now);
  }
}
