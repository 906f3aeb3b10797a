// Trouble with the store never fails a pull: a store that cannot answer is a store that has nothing.
import { RegistryError } from '../oci/errors.ts';
import type { Report } from './events.ts';
import type { BlobStore } from './ports.ts';

export type Attempt = <T>(doing: string, work: () => Promise<T>) => Promise<T | undefined>;

/** Turns what a store throws into absence and an event; a range outside the blob is the client's own and goes through. */
export function attempts(report: Report): Attempt {
  return async (doing, work) => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RegistryError) throw error;
      report({ kind: 'trouble', where: 'store', doing, error });
      return undefined;
    }
  };
}

export function tolerant(store: BlobStore, report: Report): BlobStore {
  const attempt = attempts(report);
  return {
    stat: (digest) => attempt('looking for a blob', () => store.stat(digest)),
    open: (digest, range) => attempt('opening a blob', () => store.open(digest, range)),
    fill: (...order) => store.fill(...order),
    read: (digest, most) => attempt('reading a blob', () => store.read(digest, most)),
    delete: (digest) => attempt('deleting a blob', () => store.delete(digest)),
    check: async (digest) => (await attempt('checking a blob', () => store.check(digest))) ?? true,
  };
}
