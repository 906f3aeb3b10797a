// The disk store, put together: a directory of blobs and the book, within a byte budget.
import type { Report } from '../../core/mirror/events.ts';
import type { BlobStore, Book, Clock } from '../../core/mirror/ports.ts';
import { BookThread } from './book-thread.ts';
import { SqliteBook } from './book.ts';
import { Budget } from './budget.ts';
import { DiskBlobs } from './disk-blobs.ts';
import { freeSpace } from './free-space.ts';
import { Layout, makeDataDirectory, prepare } from './layout.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { lockDirectory } from './lock.ts';
import { Quarantine } from './quarantine.ts';
import { reconcile } from './reconcile.ts';
import { scrub } from './scrub.ts';
import { Shelf } from './shelf.ts';
import { tidy } from './tidy.ts';

const day = 86_400_000;

export interface StoreOptions {
  readonly dir: string;
  /** Bytes; undefined: as much as the disk takes. */
  readonly limit: number | undefined;
  readonly clock: Clock;
  readonly report: Report;
  /** Milliseconds after which the book may forget a tag or a repository that nobody has asked for; 30 days, if it is not told. */
  readonly forgetAfter?: number;
  /** Milliseconds in which every blob at rest is read and hashed once; undefined: none is. */
  readonly scrubEvery?: number | undefined;
}

export interface Usage {
  /** Of whole blobs, including those that were removed but are still being read. */
  readonly bytes: number;
  /** For blobs on their way in. */
  readonly reserved: number;
  readonly blobs: number;
  readonly limit: number | undefined;
}

export interface Store {
  readonly blobs: BlobStore;
  readonly book: Book;
  usage(): Usage;
  /** Resolves when the ledger is known to be what is on disk, or known not to become so. */
  readonly settled: Promise<void>;
  /** Stops running fills. Must be called once; whoever has a whole blob open may read on. */
  close(): Promise<void>;
}

/** Throws if another process has the directory, if a later sampan has written to it, or if it cannot be written to. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dir, limit, clock, report, forgetAfter = 30 * day, scrubEvery } = options;
  const layout = new Layout(dir);
  await makeDataDirectory(layout);
  const unlock = lockDirectory(layout.dir, layout.lock);
  try {
    const { fresh } = await prepare(layout);
    const thread = await BookThread.open(layout.book, clock, report);
    const { bad, clean, bytes } = thread.opened;
    if (bad !== undefined) {
      report({ kind: 'trouble', where: 'book', doing: 'open the book; a new one is begun', error: bad });
    }
    const ledger = new Ledger(thread, clock);
    const quarantine = new Quarantine({ dir: layout.quarantine, limit, clock, report });
    await quarantine.open();
    const shelf = new Shelf({ layout, ledger, quarantine, report });
    const stop = new AbortController();
    const budget = new Budget({
      limit,
      freeSpace: () => freeSpace(layout.incoming),
      ledger,
      shelf,
      report,
      stop: stop.signal,
    });
    const blobs = new DiskBlobs({ layout, ledger, shelf, budget, clock, report });

    const counted = fresh || clean ? Promise.resolve(true) : count();
    const settled = settle();
    const daily = setInterval(() => void Promise.all([tidyUp(), quarantine.trim()]), day).unref();

    return {
      blobs,
      book: new SqliteBook(thread, ledger),
      settled,
      usage: () => ({ bytes: ledger.bytes + shelf.looseBytes, reserved: budget.reserved, blobs: ledger.blobs, limit }),
      async close() {
        clearInterval(daily);
        // First, so that no fill waits for room behind a long eviction.
        stop.abort(new Error('the store is being closed'));
        await blobs.close();
        await settled;
        await ledger.flush();
        await thread.close(await counted);
        unlock();
      },
    };

    async function count(): Promise<boolean> {
      try {
        return await reconcile(layout, ledger, shelf, stop.signal);
      } catch (error) {
        report({ kind: 'trouble', where: 'store', doing: 'look through the blobs', error });
        return false;
      }
    }

    async function settle(): Promise<void> {
      // An empty ledger before a directory that is not: the book was lost, and with it what is in use.
      if (bytes === 0 && !fresh) await budget.unknownUntil(counted);
      await counted;
      await budget.trim().catch(() => undefined);
      await tidyUp();
      if (scrubEvery !== undefined) {
        const load = new Load();
        void scrub({ ledger, shelf, clock, report, every: scrubEvery, busy: () => load.busy, signal: stop.signal });
      }
    }

    function tidyUp(): Promise<void> {
      return tidy(thread, clock.now() - forgetAfter, stop.signal);
    }
  } catch (error) {
    unlock();
    throw error;
  }
}
