// A ledger that was lost, and a disk that does not let us count what is there: storing goes on when it does.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { NoRoom } from '../../../src/core/mirror/ports.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { directory, openAt } from './opening.ts';

it('takes blobs in again when what failed while the blobs were counted works again', async (t) => {
  const dir = await directory(t);
  const [bytes, more] = [someBytes(1000, 1), someBytes(1000, 2)];
  const before = await openAt(t, dir, 10_000);
  await before.store.blobs.fill(digestOf(bytes), [sourceOf(bytes)], bytes.length).done;
  await before.store.close();
  await rm(join(dir, 'book.sqlite'));
  const obstacle = join(dir, 'blobs', 'sha512');
  await writeFile(obstacle, 'no directory');

  const { store, events } = await openAt(t, dir, 10_000);
  await assert.rejects(store.blobs.fill(digestOf(more), [sourceOf(more)], more.length).done, NoRoom);
  while (!events.some(({ kind }) => kind === 'trouble')) await new Promise((resolve) => setImmediate(resolve));
  await rm(obstacle);
  await store.settled;
  assert.equal(store.usage().bytes, bytes.length);
  await store.blobs.fill(digestOf(more), [sourceOf(more)], more.length).done;
  assert.equal(store.usage().bytes, bytes.length + more.length);
});
