// How far a fill has come, and waiting for more of it without polling.
import { Intervals } from '../../core/mirror/intervals.ts';
import type { Want } from '../../core/mirror/lanes.ts';

/** Woken once: when the byte at `at` is here, or when the fill is verified or fails. Infinity waits for the latter only. */
export interface Waiter extends Want {
  readonly wake: () => void;
}

/** What is here of a blob on its way in. */
export class Progress {
  readonly here = new Intervals();
  readonly #waiters = new Set<Waiter>();
  #size: number | undefined;
  #verified = false;
  #failure: Error | undefined;

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

  add(start: number, end: number): void {
    this.here.add(start, end);
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
