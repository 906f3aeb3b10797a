// A store on a disk that fails when the mirror starts: pulls go past it until it can be opened.
import { diskFaultOf } from '../../core/mirror/disk-fault.ts';
import { noBook, noStore } from '../../core/mirror/nothing.ts';
import type { BlobStore, Book } from '../../core/mirror/ports.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';

/** Milliseconds before the next attempt: the first time, and at most. */
const shortestPause = 1000;
const longestPause = 60_000;

/** Throws as `openStore` does, but not for what is the disk's fault. */
export async function openSoonerOrLater(options: StoreOptions): Promise<Store> {
  try {
    return await openStore(options);
  } catch (error) {
    if (diskFaultOf(error) === undefined) throw error;
    return openLater(options, error);
  }
}

function openLater(asked: StoreOptions, why: unknown): Store {
  const { clock, report } = asked;
  let options = asked;
  const closing = new AbortController();
  let store: Store | undefined;

  async function open(): Promise<void> {
    let error = why;
    for (let pause = shortestPause; ; pause = Math.min(longestPause, 2 * pause)) {
      report({ kind: 'trouble', where: 'store', doing: 'opening the data directory', error });
      await clock.sleep(pause, closing.signal).catch(() => undefined);
      if (closing.signal.aborted) return;
      try {
        store = await openStore(options);
        // They may have changed meanwhile.
        store.adjust(options);
        report({ kind: 'recovered', where: 'store' });
        return;
      } catch (thrown) {
        error = thrown;
      }
    }
  }

  const opening = open();
  return {
    blobs: blobsOf(() => store?.blobs ?? noStore),
    book: bookOf(() => store?.book ?? noBook),
    usage: () => store?.usage() ?? { bytes: 0, reserved: 0, blobs: 0, limit: options.limit },
    adjust(limits) {
      options = { ...options, ...limits };
      store?.adjust(limits);
    },
    get settled() {
      return store?.settled ?? Promise.resolve();
    },
    async close() {
      closing.abort(new Error('the store is being closed'));
      await opening;
      await store?.close();
    },
  };
}

function blobsOf(now: () => BlobStore): BlobStore {
  return {
    stat: (digest) => now().stat(digest),
    open: (digest, range) => now().open(digest, range),
    fill: (digest, sources, expected, lanes) => now().fill(digest, sources, expected, lanes),
    read: (digest, most) => now().read(digest, most),
    delete: (digest) => now().delete(digest),
    check: (digest) => now().check(digest),
  };
}

function bookOf(now: () => Book): Book {
  return {
    pointer: (repository, name) => now().pointer(repository, name),
    point: (repository, name, pointer) => now().point(repository, name, pointer),
    standing: (repository, digest) => now().standing(repository, digest),
    link: (repository, descriptor) => now().link(repository, descriptor),
    disown: (repository, digest) => now().disown(repository, digest),
    verdict: (repository) => now().verdict(repository),
    judge: (repository, verdict) => now().judge(repository, verdict),
    touch: (digest) => now().touch(digest),
  };
}
