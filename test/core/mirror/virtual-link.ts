// A link to an upstream in virtual time: so many bytes a second for each connection and for all of them, a delay, and resets.
import type { Clock, Source } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';

/** Time passes when nothing else can happen: then whoever sleeps the shortest wakes. */
export class VirtualClock implements Clock {
  #now = 0;
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.#now + Math.max(0, ms), wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  /** Lets time pass until it is settled. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const end = () => void (over = true);
    work.then(end, end);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (over) return work;
      const [next] = this.#sleepers.toSorted((one, other) => one.until - other.until);
      if (next === undefined) throw new Error('nothing will ever happen');
      this.#sleepers = this.#sleepers.filter((each) => each !== next);
      this.#now = next.until;
      next.wake();
    }
  }
}

export interface LinkOptions {
  /** Bytes a millisecond. */
  readonly each: number;
  readonly all: number;
  /** Milliseconds from a question to the first byte. */
  readonly delay: number;
  /** A connection is reset when it has brought so many bytes. */
  readonly resetAfter?: () => number;
  /** So many milliseconds after the start; false: sends the whole, whatever is asked for. */
  readonly ranges?: (ms: number) => boolean;
  /** Bytes a millisecond of a connection that was opened then; in place of `each`. Milliseconds after the start. */
  readonly eachAt?: (opened: number, now: number) => number;
  /** So many milliseconds after the start all connections are reset. */
  readonly isDown?: (ms: number) => boolean;
  /** More connections than these, so many milliseconds after the start, are refused with 503. */
  readonly most?: (ms: number) => number;
}

const chunk = 64 * 1024;

export class VirtualLink {
  readonly #options: LinkOptions;
  readonly #clock: VirtualClock;
  readonly #blob: Uint8Array;
  /** When the link will have carried all that was given to it. */
  #free = 0;
  #open = 0;
  /** Bytes that it has brought. */
  sent = 0;
  /** `0-`, `100-200`: what it was asked for. */
  readonly asked: string[] = [];
  /** The most connections that there were at once. */
  mostOpen = 0;

  constructor(blob: Uint8Array, clock: VirtualClock, options: LinkOptions) {
    this.#blob = blob;
    this.#clock = clock;
    this.#options = options;
  }

  readonly source: Source = async (from, signal, to) => {
    this.asked.push(`${from}-${to ?? ''}`);
    const { most = () => Infinity, delay } = this.#options;
    await this.#clock.sleep(delay, signal);
    if (this.#open >= most(this.#clock.now())) throw new RegistryError('UNAVAILABLE', 'too many connections');
    const ranges = this.#options.ranges?.(this.#clock.now()) ?? true;
    const offset = ranges ? from : 0;
    const end = ranges ? (to ?? this.#blob.length) : this.#blob.length;
    return { offset, end, size: this.#blob.length, stream: this.#stream(offset, end, signal) };
  };

  async *#stream(from: number, to: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const reset = from + (this.#options.resetAfter?.() ?? Infinity);
    this.#open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    const { each, eachAt = () => each, isDown = () => false } = this.#options;
    const opened = this.#clock.now();
    let free = opened;
    try {
      for (let at = from; at < to;) {
        if (at >= reset || isDown(this.#clock.now())) throw new RegistryError('UNAVAILABLE', 'reset');
        const bytes = Math.min(chunk, to - at, reset - at);
        const now = this.#clock.now();
        free = Math.max(free, now - 1) + bytes / eachAt(opened, now);
        this.#free = Math.max(this.#free, now - 1) + bytes / this.#options.all;
        await this.#clock.sleep(Math.max(free, this.#free) - now, signal);
        this.sent += bytes;
        yield this.#blob.subarray(at, at + bytes);
        at += bytes;
      }
    } finally {
      this.#open -= 1;
    }
  }
}
