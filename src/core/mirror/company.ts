// Whether lanes are faster in company: seen by trying it, and tried again when they have become much slower.
import { type Lane, helps, rateOf } from './lanes.ts';

/** All together as slow as that part of what one alone was: it is another link now, or each of them is throttled. */
const muchSlower = 1 / 4;
/** Milliseconds for which they have to be: what lanes that ended leave to the others shows in their rates a second later. */
const lasting = 2000;

export class Company {
  /** How fast it was before any came. */
  #alone: number | undefined;
  /** Undefined as long as that has not been seen. */
  #helps: boolean | undefined;
  /** When they were last not much slower than that. */
  #keptUpAt = 0;

  get helps(): boolean {
    return this.#helps !== false;
  }

  /** Another one is about to come, because these are slow. */
  comesTo(lanes: readonly Lane[], now: number): void {
    if (this.#alone !== undefined) return;
    this.#alone = rateOf(lanes);
    this.#keptUpAt = now;
  }

  /** `now`: milliseconds. */
  judge(lanes: readonly Lane[], now: number): void {
    if (this.#alone === undefined) return;
    this.#helps ??= helps(lanes, this.#alone);
    if ((rateOf(lanes) ?? Infinity) >= this.#alone * muchSlower) this.#keptUpAt = now;
    if (now - this.#keptUpAt < lasting) return;
    this.#alone = undefined;
    this.#helps = undefined;
  }
}
