// Which blobs there are, how big they are and when each was last used: kept in the book, its totals here.
import type { Clock } from '../../core/mirror/ports.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Entry } from './book-tables.ts';
import type { BookThread } from './book-thread.ts';

/** Uses are written in batches, this many milliseconds apart. */
const flushAfter = 1000;

/**
 * A row is written before its blob appears and dropped after it is gone, so that `bytes` is never less than what is on
 * disk. If the book fails the totals are still right; only the rows are not, which the next start corrects.
 */
export class Ledger {
  readonly #thread: BookThread;
  readonly #clock: Clock;
  #bytes: number;
  #blobs: number;
  #used = new Map<Digest, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(thread: BookThread, clock: Clock) {
    this.#thread = thread;
    this.#clock = clock;
    this.#bytes = thread.opened.bytes;
    this.#blobs = thread.opened.blobs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get blobs(): number {
    return this.#blobs;
  }

  /** `usedAt`: now, if it is not told. */
  async put(digest: Digest, size: number, usedAt = this.#clock.now()): Promise<void> {
    const before = await this.#thread.ask('put', { digest, size, usedAt });
    this.#bytes += size - (before ?? 0);
    if (before === undefined) this.#blobs += 1;
  }

  async drop(digest: Digest): Promise<void> {
    const before = await this.#thread.ask('drop', digest);
    if (before === undefined) return;
    this.#bytes -= before;
    this.#blobs -= 1;
  }

  touch(digest: Digest): void {
    this.#used.set(digest, this.#clock.now());
    this.#timer ??= setTimeout(() => void this.flush(), flushAfter).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#used.size === 0) return;
    const used = this.#used;
    this.#used = new Map();
    await this.#thread.ask('touch', used);
  }

  /** Least recently used first; goes on behind `after`. */
  async oldest(after: Entry | undefined, count: number): Promise<readonly Entry[]> {
    await this.flush();
    return (await this.#thread.ask('oldest', after, count)) ?? [];
  }

  /** Undefined if the book cannot tell. */
  beginning(prefix: string): Promise<readonly Digest[] | undefined> {
    return this.#thread.ask('beginning', prefix);
  }
}
