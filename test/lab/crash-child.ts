// What is killed: a process that fills, reads and evicts blobs and writes in the book, in an order told by a seed.
import type { BlobStore, Book } from '../../src/core/mirror/ports.ts';
import { discard } from '../../src/core/mirror/reply.ts';
import { openStore } from '../../src/node/store/store.ts';
import { digestOf, someBytes, sourceOf } from '../conformance/blob-store.ts';

export const limit = 300_000;
export const blobs = 24;
export const repository = { registry: 'docker.io', name: 'library/nginx' };

/** Blob number `index`; together about three times the limit. */
export function blobOf(index: number) {
  const bytes = someBytes(10_000 + ((index * 7919) % 50_000), index);
  return { bytes, digest: digestOf(bytes) };
}

export function descriptorOf(index: number) {
  const { bytes, digest } = blobOf(index);
  return { mediaType: `test/number-${index}`, digest, size: bytes.length };
}

/** Whether blob number `index` is ever proven. */
export function isProven(index: number): boolean {
  return index % 2 === 0;
}

/** The next of a row of numbers below 2 ** 32 (xorshift). */
export function* numbers(seed: number): Generator<number, never, undefined> {
  for (let state = (seed * 2654435761 + 97) >>> 0 || 1; ;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    yield state;
  }
}

async function step(store: BlobStore, book: Book, index: number): Promise<void> {
  const { bytes, digest } = blobOf(index);
  const content = await store.open(digest);
  if (content === undefined) {
    const fill = store.fill(digest, [sourceOf(bytes, 16_384)], index % 3 === 0 ? undefined : bytes.length);
    await fill.done.catch(() => undefined);
  } else await discard(content.body);
  if (isProven(index)) await book.link(repository, descriptorOf(index));
  await book.point(repository, `tag-${index}`, { descriptor: descriptorOf(index), checkedAt: index });
}

if (import.meta.main) {
  const [dir = '', seed = ''] = process.argv.slice(2);
  const clock = { now: () => Date.now(), sleep: () => Promise.reject(new Error('never')) };
  const store = await openStore({ dir, limit, clock, report: () => undefined });
  const random = numbers(Number(seed));
  // Two at a time, no blob at both.
  const lane = async (parity: number) => {
    for (let turn = 0; turn < 30; turn += 1) {
      await step(store.blobs, store.book, ((random.next().value % (blobs / 2)) * 2 + parity) % blobs);
    }
  };
  await Promise.all([lane(0), lane(1)]);
  await store.close();
}
