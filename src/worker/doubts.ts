// Which blobs of the cache may be wrong: nobody here hashes them, but who got one whole and comes again for it had a reason.
import type { Clock } from '../core/mirror/ports.ts';
import { Recent } from '../core/mirror/recent.ts';

/** Milliseconds in which who got a blob may find that it is wrong. */
const servedFor = 600_000;
/** One that is right is not fetched again and again because somebody needs it often. */
const settledFor = 3_600_000;

/** Of an isolate. */
export class Doubts {
  readonly #served: Recent<true>;
  readonly #settled: Recent<true>;

  constructor(clock: Clock) {
    this.#served = new Recent(clock);
    this.#settled = new Recent(clock);
  }

  /** `address` has got this blob whole. */
  served(address: string, blob: string): void {
    this.#served.set(`${address} ${blob}`, true, servedFor);
  }

  /** `address` wants this blob whole. True once: then it is to be replaced. */
  raise(address: string, blob: string): boolean {
    if (this.#served.get(`${address} ${blob}`) === undefined || this.#settled.get(blob) !== undefined) return false;
    this.#settled.set(blob, true, settledFor);
    return true;
  }
}
