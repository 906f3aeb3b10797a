// What one client may have of something by time: as much as has come in since he last took of it, and no more than so much at once.

/** 20 in 1000 milliseconds. */
export interface Rate {
  readonly amount: number;
  readonly per: number;
}

/** Sums of fractions fall short of the whole. */
const tiny = 1e-6;

export class Bucket {
  #has = Infinity;
  #at = 0;

  /** Takes so many, if there are as many as `least`; it may owe the rest. `most`: what it holds. */
  take(count: number, least: number, most: number, rate: Rate, now: number): boolean {
    if (this.fill(most, rate, now) < least - tiny) return false;
    this.#has -= count;
    return true;
  }

  /** What is in it now; less than nothing, if it owes. */
  fill(most: number, { amount, per }: Rate, now: number): number {
    // A clock that was set back brings nothing in.
    const since = Math.max(0, now - this.#at);
    this.#has = Math.min(most, this.#has + (amount * since) / per);
    this.#at = now;
    return this.#has;
  }
}
