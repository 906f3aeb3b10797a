// The disk store keeps to the ports.
import { describeBlobStore } from '../../conformance/blob-store.ts';
import { describeBook } from '../../conformance/book.ts';
import { openFresh } from './opening.ts';

describeBlobStore('on disk', async (t) => (await openFresh(t)).store.blobs);
describeBlobStore('on disk, within a budget', async (t) => (await openFresh(t, 1_000_000)).store.blobs);
describeBook('in SQLite', async (t) => (await openFresh(t)).store.book);
describeBook(
  'in SQLite, that was closed and opened again',
  async (t) => (await (await openFresh(t)).again()).store.book,
);
