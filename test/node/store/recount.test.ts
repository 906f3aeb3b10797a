// A ledger that was lost, and a disk that does not let us count what is there: storing goes on when it does.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { NoRoom } from '../../../src/core/mirror/ports.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { Home } from '../../../src/node/store/home.ts';
import { Layout } from '../../../src/node/store/layout.ts';
import type { Store } from '../../../src/node/store/store.ts';
import { directory, openAt, until } from './opening.ts';

async function add({ blobs }: Store, seed: number): Promise<void> {
  const bytes = someBytes(1000, seed);
  await blobs.fill(digestOf(bytes), [sourceOf(bytes)], bytes.length).done;
}

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

it('counts all others although a shard cannot be read, and that one as soon as it can', async (t) => {
  const dir = await directory(t);
  const before = await openAt(t, dir, 10_000);
  const blobs = [1, 2, 3, 4].map((seed) => someBytes(1000, seed));
  for (const each of blobs) await before.store.blobs.fill(digestOf(each), [sourceOf(each)], each.length).done;
  await before.store.close();
  await rm(join(dir, 'book.sqlite'));
  const obstacle = join(dir, 'blobs/sha256', '00');
  await writeFile(obstacle, 'no directory');

  const { store, events } = await openAt(t, dir, 10_000);
  await until(() => store.usage().blobs === blobs.length);
  assert.equal(store.usage().bytes, 4000);
  await assert.rejects(add(store, 9), { reason: 'full' });
  await rm(obstacle);
  await store.settled;
  await add(store, 9);
  assert.equal(events.filter(({ kind }) => kind === 'trouble').length, 1);
});

it('counts nothing that is gone when the blobs were taken away while nobody was here', async (t) => {
  const dir = await directory(t);
  const before = await openAt(t, dir, 10_000);
  await add(before.store, 1);
  await before.store.close();
  await rm(join(dir, 'blobs'), { recursive: true });
  const { store } = await openAt(t, dir, 10_000);
  await store.settled;
  assert.deepEqual([store.usage().bytes, store.usage().blobs], [0, 0]);
});

it('takes a directory for an empty one only until a book was opened in it: a later one that is empty was lost', async (t) => {
  const layout = new Layout(await directory(t));
  const home = await Home.open(layout);
  t.after(() => home.leave());
  assert.deepEqual([home.takeFresh(), home.takeFresh()], [true, false]);
  await rm(layout.dir, { recursive: true });
  await home.ensure();
  assert.deepEqual([home.takeFresh(), home.takeFresh()], [true, false]);
});
