// How far a fill has come, and waiting for more of it without polling.

/** Woken once: when the front is past that offset, or when the fill is verified or fails. */
export interface Waiter {
  readonly past: number;
  readonly wake: () => void;
}

/** What is here of a blob on its way in. For now one piece from its start to the front. */
export class Progress {
  readonly #waiters = new Set<Waiter>();
  #front = 0;
  #size: number | undefined;
  #verified = false;
  #failure: Error | undefined;

  get front(): number {
    return this.#front;
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

  /** How many bytes in a row are here, beginning there. */
  available(offset: number): number {
    return Math.max(0, this.#front - offset);
  }

  expect(size: number | undefined): void {
    this.#size = size;
  }

  advance(bytes: number): void {
    this.#front += bytes;
    this.#wake((waiter) => waiter.past < this.#front);
  }

  verify(): void {
    this.#verified = true;
    this.#size = this.#front;
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
