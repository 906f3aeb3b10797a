// The disk store, put together: a directory of blobs and the book, within a byte budget.
import type { Report } from '../../core/mirror/events.ts';
import type { BlobStore, Book, Clock } from '../../core/mirror/ports.ts';
import { prepareBook } from './book-start.ts';
import { BookThread } from './book-thread.ts';
import { SqliteBook } from './book.ts';
import { Budget } from './budget.ts';
import { DiskBlobs } from './disk-blobs.ts';
import { freeSpace } from './free-space.ts';
import { Home } from './home.ts';
import { Layout } from './layout.ts';
import { Leftovers } from './leftovers.ts';
import { Ledger } from './ledger.ts';
import { Quarantine } from './quarantine.ts';
import { Shelf } from './shelf.ts';
import { Upkeep } from './upkeep.ts';

const day = 86_400_000;

/** What may be another while it is open. */
export interface StoreLimits {
  /** Bytes; undefined: as much as the disk takes. */
  readonly limit: number | undefined;
  /** Milliseconds after which the book may forget a tag or a repository that nobody has asked for; 30 days, if it is not told. */
  readonly forgetAfter?: number;
  /** Milliseconds in which every blob at rest is read and hashed once; undefined: none is. */
  readonly scrubEvery?: number | undefined;
}

export interface StoreOptions extends StoreLimits {
  readonly dir: string;
  readonly clock: Clock;
  readonly report: Report;
}

export interface Usage {
  /** Of whole blobs, including those that were removed but are still being read. */
  readonly bytes: number;
  /** For blobs on their way in, and of those that broke off on it. */
  readonly reserved: number;
  readonly blobs: number;
  readonly limit: number | undefined;
}

export interface Store {
  readonly blobs: BlobStore;
  readonly book: Book;
  usage(): Usage;
  /** From now on. What is too much is evicted. */
  adjust(limits: StoreLimits): void;
  /** Resolves when the ledger is known to be what is on disk, or the store is closed; another one when the book was lost. */
  readonly settled: Promise<void>;
  /** Stops running fills. Must be called once; whoever has a whole blob open may read on. */
  close(): Promise<void>;
}

/** Throws if another process has the directory, if a later sampan has written to it, or if it cannot be written to. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dir, limit, clock, report } = options;
  let limits: StoreLimits = options;
  const layout = new Layout(dir);
  // At once: it loads what it takes while the directory is made ready, and while whoever opens the store loads the rest.
  const prepared = prepareBook();
  const home = await Home.open(layout).catch(async (error: unknown) => {
    await prepared.terminate();
    throw error;
  });
  let opened: BookThread | undefined;
  try {
    const thread = (opened = await BookThread.open(layout.book, clock, report, prepared));
    const ledger = new Ledger(thread, clock);
    const quarantine = new Quarantine({ dir: layout.quarantine, limit, clock, report });
    await quarantine.open();
    const stop = new AbortController();
    const { signal } = stop;
    const shelf = new Shelf({ layout, ledger, quarantine, report, stop: signal });
    const leftovers = new Leftovers(layout, report);
    await leftovers.look();
    const space = () => freeSpace(layout.incoming);
    const budget = new Budget({ limit, freeSpace: space, ledger, shelf, leftovers, report, stop: signal });
    const blobs = new DiskBlobs({ home, layout, ledger, shelf, budget, leftovers, clock, report });
    const parts = {
      layout,
      thread,
      ledger,
      shelf,
      quarantine,
      budget,
      leftovers,
      clock,
      report,
      forgetAfter: () => limits.forgetAfter ?? 30 * day,
      scrubEvery: () => limits.scrubEvery,
      signal,
    };
    const upkeep = new Upkeep(parts);

    const { bytes, clean } = thread.opened;
    const fresh = home.takeFresh();
    // No blobs before a book that lists some: they were taken away.
    upkeep.bookOpened(fresh, fresh ? bytes === 0 : clean);
    upkeep.scrub();
    thread.renewed = () => {
      ledger.restart();
      upkeep.bookOpened(home.takeFresh(), false);
    };
    home.moved = async () => {
      const message = `${layout.dir} is not the directory that it was`;
      const error = Object.assign(new Error(message), { code: 'ENOENT' });
      report({ kind: 'trouble', where: 'store', doing: 'looking for the blobs; the directory is made anew', error });
      shelf.leave();
      await quarantine.open();
      thread.renew();
      await leftovers.look();
    };

    return {
      blobs,
      book: new SqliteBook(thread, ledger),
      get settled() {
        return upkeep.settled;
      },
      usage: () => ({
        bytes: ledger.bytes + shelf.looseBytes,
        reserved: budget.reserved,
        blobs: ledger.blobs,
        limit: budget.limit,
      }),
      adjust(next) {
        limits = next;
        budget.limit = next.limit;
        quarantine.limit = next.limit;
        upkeep.scrub();
        void upkeep.trim();
      },
      async close() {
        // First, so that no fill waits for room behind a long eviction.
        stop.abort(new Error('the store is being closed'));
        await blobs.close();
        await shelf.stopped();
        const counted = await upkeep.close();
        await ledger.flush();
        await thread.close(counted);
        home.leave();
      },
    };
  } catch (error) {
    await opened?.close(false);
    home.leave();
    throw error;
  }
}
