// How much Sentry is told: what falls to the sample, a number a minute, and nothing while it has asked to be left alone.
import { retryAfter } from '../oci/retry-after.ts';

const perMinute = 10;
const minute = 60_000;

export class Quota {
  readonly #sampleRate: number;
  readonly #now: () => number;
  readonly #random: () => number;
  #began = -Infinity;
  #taken = 0;
  #restsUntil = -Infinity;
  #leftOut = 0;

  /** `sampleRate`: from 0, nothing, to 1, everything. */
  constructor(sampleRate: number, now: () => number, random: () => number) {
    this.#sampleRate = sampleRate;
    this.#now = now;
    this.#random = random;
  }

  /** How many were left out since somebody was last told; undefined if this one is left out, too. */
  take(): number | undefined {
    if (this.#random() >= this.#sampleRate) return undefined;
    const now = this.#now();
    if (now - this.#began >= minute) {
      this.#began = now;
      this.#taken = 0;
    }
    if (now < this.#restsUntil || this.#taken === perMinute) {
      this.#leftOut += 1;
      return undefined;
    }
    this.#taken += 1;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }

  /** What was taken did not arrive, nor what it would have told of the others. */
  lose(count: number): void {
    this.#leftOut += count;
  }

  /** What Sentry's answer says of the next ones. `limits`: X-Sentry-Rate-Limits, `wait`: Retry-After. */
  heed(status: number, limits: string | undefined, wait: string | undefined): void {
    const now = this.#now();
    const told = status === 429 ? (retryAfter(wait, now) ?? minute) : 0;
    const rest = limits === undefined ? told : longestRest(limits);
    this.#restsUntil = Math.max(this.#restsUntil, now + rest);
  }
}

/** `60:error;transaction:organization, 2700::key`: seconds, and for what; for everything if that is empty. */
function longestRest(limits: string): number {
  const rests = limits.split(',').map((limit) => {
    const [seconds = '', categories = ''] = limit.trim().split(':');
    if (categories !== '' && !categories.split(';').includes('error')) return 0;
    return /^\d{1,9}(?:\.\d+)?$/.test(seconds) ? Number(seconds) * 1000 : minute;
  });
  return Math.max(...rests);
}
