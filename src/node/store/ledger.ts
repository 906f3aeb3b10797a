// Which blobs there are, how big they are and when each was last used: kept in the book, its totals here.
import type { Clock } from '../../core/mirror/ports.ts';
import { Bounded } from '../../core/oci/bounded.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Checked, Entry, Stored } from './book-tables.ts';
import type { BookThread } from './book-thread.ts';

/** Uses are written this many milliseconds apart, and so many in one go: whoever asks the book something meanwhile comes in between. */
const flushAfter = 1000;
const slice = 100;
/** Rows that are read in one go. */
const page = 500;
/** Sizes that are kept in memory. */
const known = 10_000;

/**
 * A row is written before its blob appears and dropped after it is gone, so that `bytes` is never less than what is on
 * disk. If the book fails the totals are still right; only the rows are not, which the next start corrects.
 */
export class Ledger {
  readonly #thread: BookThread;
  readonly #clock: Clock;
  #bytes = 0;
  #blobs = 0;
  /** How often the book was opened again. */
  restarts = 0;
  /** Blobs whose row the book could not be told to change, and what is counted for them instead of what the row says. */
  readonly #astray = new Map<Digest, number | undefined>();
  #sizes = new Bounded<Promise<number | undefined>>(known);
  #used = new Map<Digest, number>();
  #timer: NodeJS.Timeout | undefined;
  #flushed: Promise<void> = Promise.resolve();

  constructor(thread: BookThread, clock: Clock) {
    this.#thread = thread;
    this.#clock = clock;
    this.#learn();
  }

  #learn(): void {
    const { bytes, blobs } = this.#thread.opened;
    this.#bytes = bytes;
    this.#blobs = blobs;
  }

  /** The book was opened again, and may be another one. What it does not know will be found. */
  restart(): void {
    this.restarts += 1;
    this.#astray.clear();
    this.#sizes = new Bounded(known);
    this.#learn();
  }

  get bytes(): number {
    return this.#bytes;
  }

  get blobs(): number {
    return this.#blobs;
  }

  /** Verified and used just now. */
  put(digest: Digest, size: number): Promise<void> {
    const now = this.#clock.now();
    return this.#put({ digest, size, usedAt: now, checkedAt: now });
  }

  /** There, and nobody knows whether it is what it is called. */
  found(digest: Digest, size: number, usedAt: number): Promise<void> {
    return this.#put({ digest, size, usedAt, checkedAt: 0 });
  }

  async #put(row: Stored): Promise<void> {
    const { digest, size } = row;
    this.#sizes.set(digest, Promise.resolve(size));
    const answer = await this.#thread.ask('put', row);
    this.#count(digest, answer, answer?.before, size);
  }

  /** `size`: what it had, if somebody knows. */
  async drop(digest: Digest, size: number | undefined): Promise<void> {
    this.#sizes.set(digest, Promise.resolve(undefined));
    const row = await this.#thread.ask('drop', digest);
    // Better to count what may be gone than not to count what may be there.
    if (row === undefined && size === undefined) return;
    this.#count(digest, row, row === undefined ? size : row.before, undefined);
  }

  /** `row`: undefined if the book has failed. */
  #count(digest: Digest, row: object | undefined, written: number | undefined, now: number | undefined): void {
    const before = this.#astray.has(digest) ? this.#astray.get(digest) : written;
    this.#bytes += (now ?? 0) - (before ?? 0);
    this.#blobs += Number(now !== undefined) - Number(before !== undefined);
    if (row === undefined) this.#astray.set(digest, now);
    else this.#astray.delete(digest);
  }

  /** Undefined if nobody knows. The book is asked only once. */
  sizeOf(digest: Digest): Promise<number | undefined> {
    return this.#sizes.getOr(digest, () => this.#thread.ask('sizeOf', digest));
  }

  touch(digest: Digest): void {
    this.#used.set(digest, this.#clock.now());
    this.#timer ??= setTimeout(() => void this.flush(), flushAfter).unref();
  }

  /** Resolves when all uses up to now are written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const used = [...this.#used];
    this.#used = new Map();
    this.#flushed = this.#flushed.then(() => this.#write(used));
    return this.#flushed;
  }

  async #write(used: readonly (readonly [Digest, number])[]): Promise<void> {
    for (let at = 0; at < used.length; at += slice) {
      await this.#thread.ask('touch', new Map(used.slice(at, at + slice)));
    }
  }

  /** Least recently used first; goes on behind `after`. */
  async oldest(after: Entry | undefined, count: number): Promise<readonly Entry[]> {
    await this.flush();
    return (await this.#thread.ask('oldest', after, count)) ?? [];
  }

  /** Whose last check is the longest ago. */
  leastChecked(): Promise<Checked | undefined> {
    return this.#thread.ask('leastChecked', this.#clock.now());
  }

  /** Just now. False if the book cannot be told. */
  async checked(digest: Digest): Promise<boolean> {
    return (await this.#thread.ask('checked', digest, this.#clock.now())) ?? false;
  }

  /** The sizes of all whose digest begins so. Undefined if the book cannot tell. */
  async beginning(prefix: string): Promise<ReadonlyMap<Digest, number> | undefined> {
    const sizes = new Map<Digest, number>();
    for (let after = prefix; ;) {
      const rows = await this.#thread.ask('beginning', prefix, after, page);
      if (rows === undefined) return undefined;
      for (const { digest, size } of rows) sizes.set(digest, size);
      const last = rows.at(-1);
      if (last === undefined || rows.length < page) return sizes;
      after = last.digest;
    }
  }
}
