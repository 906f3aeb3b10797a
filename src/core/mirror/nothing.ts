// A store that holds nothing and a book that remembers nothing: what a mirror without disk has, and what trouble degrades to.
import { type BlobStore, type Book, NoRoom } from './ports.ts';

export const noStore: BlobStore = {
  stat: async () => undefined,
  open: async () => undefined,
  fill() {
    const failed = Promise.reject(new NoRoom('failed'));
    // Whoever does not look is not told.
    failed.catch(() => {});
    return { size: failed, open: () => failed, done: failed };
  },
  read: async () => undefined,
  delete: async () => {},
  check: async () => true,
};

export const noBook: Book = {
  pointer: async () => undefined,
  point: async () => {},
  standing: async () => undefined,
  link: async () => {},
  disown: async () => {},
  verdict: async () => undefined,
  judge: async () => {},
  touch() {},
};
