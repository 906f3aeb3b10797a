// How far a fill has come, and waiting for more of it without polling.
import { type Interval, Intervals } from '../../core/mirror/intervals.ts';
import type { Want } from '../../core/mirror/lanes.ts';

/** Woken once: when the byte at `at` is here, or when the fill is verified or fails. Infinity waits for the latter only. */
export interface Waiter extends Want {
  readonly wake: () => void;
}

/** What is here of a blob on its way in. */
export class Progress {
  /** What may be read. */
  readonly here = new Intervals();
  #covered = this.here;
  readonly #waiters = new Set<Waiter>();
  #size: number | undefined;
  #verified = false;
  #failure: Error | undefined;

  /** What nobody need fetch: what is here, and what is believed to be in the file until somebody has looked. */
  get covered(): Intervals {
    return this.#covered;
  }

  /** How far it is here without a gap. */
  get front(): number {
    return this.here.front;
  }

  /** Bytes of the whole; undefined while nobody knows. */
  get size(): number | undefined {
    return this.#size;
  }

  /** All is here and the digest matches. */
  get verified(): boolean {
    return this.#verified;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** What those who wait wait for, in the order in which they came. */
  get wants(): Iterable<Want> {
    return this.#waiters;
  }

  /** How many bytes in a row are here, beginning there. */
  available(offset: number): number {
    return this.here.endAt(offset) - offset;
  }

  expect(size: number | undefined): void {
    this.#size = size;
  }

  /** It is in the file, most likely. */
  believe(pieces: Iterable<Interval>): void {
    this.#covered = new Intervals();
    for (const { start, end } of [...this.here, ...pieces]) this.#covered.add(start, end);
  }

  /** It is not in the file after all. */
  doubt(pieces: Iterable<Interval>): void {
    for (const { start, end } of pieces) this.#covered.remove(start, end);
  }

  add(start: number, end: number): void {
    this.here.add(start, end);
    if (this.#covered !== this.here) this.#covered.add(start, end);
    this.#wake(({ at }) => start <= at && at < end);
  }

  verify(): void {
    this.#verified = true;
    this.#size = this.front;
    this.#wake(() => true);
  }

  /** Does nothing to readers of what was verified: those bytes are right, whatever became of storing them. */
  fail(error: Error): void {
    if (this.#verified) return;
    this.#failure ??= error;
    this.#wake(() => true);
  }

  wait(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  wake(waiter: Waiter): void {
    if (this.#waiters.delete(waiter)) waiter.wake();
  }

  #wake(which: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) if (which(waiter)) this.wake(waiter);
  }
}
