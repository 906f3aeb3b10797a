// What the store does behind the pulls' back: counting what is there, evicting what is too much, tidying up, scrubbing.
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import type { BookThread } from './book-thread.ts';
import type { Budget } from './budget.ts';
import type { Layout } from './layout.ts';
import { type Leftovers, keptFor } from './leftovers.ts';
import type { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import type { Quarantine } from './quarantine.ts';
import { allShards, reconcile } from './reconcile.ts';
import { scrub } from './scrub.ts';
import type { Shelf } from './shelf.ts';
import { tidy } from './tidy.ts';

const day = 86_400_000;
/** Milliseconds before the blobs are counted again if that failed: the first time, and at most. */
const shortestPause = 1000;
const longestPause = 60_000;

export interface UpkeepParts {
  readonly layout: Layout;
  readonly thread: BookThread;
  readonly ledger: Ledger;
  readonly shelf: Shelf;
  readonly quarantine: Quarantine;
  readonly budget: Budget;
  readonly leftovers: Leftovers;
  readonly clock: Clock;
  readonly report: Report;
  /** Milliseconds. */
  readonly forgetAfter: () => number;
  /** Undefined: never. */
  readonly scrubEvery: () => number | undefined;
  readonly signal: AbortSignal;
}

export class Upkeep {
  readonly #parts: UpkeepParts;
  /** Whether the ledger is what is on disk. */
  #counted: Promise<boolean> = Promise.resolve(true);
  #settled: Promise<void> = Promise.resolve();
  #scrubbing = false;
  readonly #daily: NodeJS.Timeout;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#daily = setInterval(() => void Promise.all([this.#tidyUp(), this.trim()]), day).unref();
  }

  /** Resolves when the ledger is known to be what is on disk, or the store is closed before that. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  /**
   * The book was opened: at the start or, if it ended or was taken away, later. `fresh`: there was nothing in the directory.
   * `trusted`: the ledger is what is on disk.
   */
  bookOpened(fresh: boolean, trusted: boolean): void {
    const { thread, budget } = this.#parts;
    // An empty ledger before a directory that is not: the book was lost, and with it what is in use.
    if (!fresh && !trusted && thread.opened.bytes === 0) budget.known = false;
    const before = this.#settled;
    this.#counted = before.then(() => trusted || this.#count());
    this.#settled = this.#settle(this.#counted);
  }

  /** What is over the limit goes, if it can. */
  async trim(): Promise<void> {
    const { budget, quarantine } = this.#parts;
    await Promise.all([budget.trim().catch(() => undefined), quarantine.trim()]);
  }

  /** Unless it is not to be done, or is under way. */
  scrub(): void {
    const { scrubEvery: every, ledger, shelf, clock, report, signal } = this.#parts;
    if (every() === undefined || this.#scrubbing) return;
    this.#scrubbing = true;
    const load = new Load();
    const busy = () => load.busy;
    void this.#settled
      .then(() => scrub({ ledger, shelf, clock, report, every, busy, signal }))
      .finally(() => (this.#scrubbing = false));
  }

  async #settle(counted: Promise<boolean>): Promise<void> {
    const { budget } = this.#parts;
    // Another book that was opened meanwhile is counted next.
    if ((await counted) && this.#counted === counted) budget.known = true;
    await budget.trim().catch(() => undefined);
    await this.#tidyUp();
  }

  /** What could not be counted is tried again and again: as long as it is not known what is there, nothing may be taken in. */
  async #count(): Promise<boolean> {
    const { clock, signal } = this.#parts;
    let left = await reconcile(allShards, this.#parts);
    for (let pause = shortestPause; left.length > 0 && !signal.aborted; pause = Math.min(longestPause, 2 * pause)) {
      await clock.sleep(pause, signal).catch(() => undefined);
      left = await reconcile(left, this.#parts);
    }
    return left.length === 0;
  }

  async #tidyUp(): Promise<void> {
    const { thread, leftovers, clock, forgetAfter, signal } = this.#parts;
    await leftovers.tidy(clock.now() - keptFor);
    await tidy(thread, clock.now() - forgetAfter(), signal);
  }

  /** When its signal has been given. Tells whether the ledger is what is on disk. */
  async close(): Promise<boolean> {
    clearInterval(this.#daily);
    await this.#settled;
    return this.#counted;
  }
}
