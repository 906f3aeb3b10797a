// Answers whose bytes stop coming, or only drip: they are broken off. One alarm for all that there are.
import type { Clock } from '../mirror/ports.ts';

/** Rings once, so many milliseconds from now. What never rings keeps no process alive. */
export type Alarm = (ms: number, ring: () => void) => void;

/** Bytes a millisecond: what brings less than 1 KiB a second brings nothing. */
const least = 1.024;
/** Milliseconds between two looks, at least. */
const grain = 50;

export interface StallLimits {
  readonly alarm: Alarm;
  /** Milliseconds without bytes after which a registry's answer is broken off. */
  readonly after: (registry: string) => number;
}

export class Stalls {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #limits: StallLimits;
  readonly #patiences = new Set<Patience>();
  #nextLook = Infinity;

  constructor(clock: Pick<Clock, 'now'>, limits: StallLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** `breakOff` is called, once, when next to nothing came for too long. Whoever gets one ends it. */
  patience(registry: string, breakOff: () => void): Patience {
    const after = this.#limits.after(registry);
    const patience = new Patience(this.#clock, after, breakOff, () => this.#patiences.delete(patience));
    this.#patiences.add(patience);
    this.#lookIn(after);
    return patience;
  }

  #lookIn(ms: number): void {
    const at = this.#clock.now() + ms;
    if (at >= this.#nextLook) return;
    this.#nextLook = at;
    // One that was overtaken by an earlier alarm rings in vain: else each would set another one.
    this.#limits.alarm(ms, () => {
      if (at === this.#nextLook) this.#look();
    });
  }

  #look(): void {
    this.#nextLook = Infinity;
    for (const patience of this.#patiences) if (patience.left <= 0) patience.lose();
    const [soonest] = [...this.#patiences].map(({ left }) => left).toSorted((one, other) => one - other);
    if (soonest !== undefined) this.#lookIn(Math.max(grain, soonest));
  }
}

/** With one answer. Only the time counts in which bytes are waited for: a slow disk or client is no stall. */
export class Patience {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #after: number;
  readonly #breakOff: () => void;
  readonly #end: () => void;
  /** Since bytes last came fast enough: what was waited, and what came. */
  #waited = 0;
  #bytes = 0;
  #waitsSince: number | undefined;
  #lost = false;

  constructor(clock: Pick<Clock, 'now'>, after: number, breakOff: () => void, end: () => void) {
    this.#clock = clock;
    this.#after = after;
    this.#breakOff = breakOff;
    this.#end = end;
  }

  /** It is what broke the answer off. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Milliseconds until it is lost, if nothing comes. */
  get left(): number {
    const now = this.#clock.now();
    return this.#after - this.#waited - (now - (this.#waitsSince ?? now));
  }

  waits(): void {
    this.#waitsSince = this.#clock.now();
  }

  brought(bytes: number): void {
    const now = this.#clock.now();
    this.#waited += now - (this.#waitsSince ?? now);
    this.#waitsSince = undefined;
    this.#bytes += bytes;
    if (this.#bytes < this.#waited * least) return;
    this.#waited = 0;
    this.#bytes = 0;
  }

  lose(): void {
    this.#lost = true;
    this.end();
    this.#breakOff();
  }

  end(): void {
    this.#end();
  }
}
