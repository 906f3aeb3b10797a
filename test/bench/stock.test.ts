// The data directory that the bench makes is one that sampan would have made itself.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileOf, hexOf, repositoryOf, size, stock } from '../../bench/scale/stock.ts';
import { Origins } from '../../src/core/mirror/origins.ts';
import { parseDigest } from '../../src/core/oci/digest.ts';
import { directory, openAt } from '../node/store/opening.ts';

test('a stocked directory is opened like any, with every blob, tag and repository where it belongs', async (t) => {
  const dir = join(await directory(t), 'data');
  await stock(dir, { blobs: 300, tags: 60 });
  const { store, events } = await openAt(t, dir);
  await store.settled;
  assert.deepEqual([store.usage().blobs, store.usage().bytes, events], [300, 300 * size, []]);
  const repository = { registry: 'docker.io', name: repositoryOf(59) };
  const digest = parseDigest(`sha256:${hexOf(59)}`);
  assert.ok(fileOf(59).endsWith(hexOf(59)));
  assert.equal(await store.blobs.stat(digest), size);
  assert.equal((await store.book.standing(repository, digest))?.size, size);
  assert.equal((await store.book.pointer(repository, 't59'))?.descriptor.digest, digest);
  assert.ok(await store.book.verdict(repository));
  assert.ok(await new Origins(store.book, true).opens(repository, digest));
});
