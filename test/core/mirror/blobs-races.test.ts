// What changes while a pull of a blob waits: it is admitted by what is true when it is served.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { BlobStore, Fill } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { image } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { bound } from './bound-store.ts';
import { alpine, layer, path, size } from './one-layer.ts';

const other = { registry: 'docker.io', name: 'library/other' };
const elsewhere = `/v2/other/blobs/${layer.digest}`;

it('a blob that comes to rest by way of another repository just when a flight begins is not proven by that', async () => {
  let late = false;
  const store = (blobs: BlobStore): BlobStore => ({
    ...bound(blobs),
    async stat(digest) {
      const found = await blobs.stat(digest);
      if (!late || digest !== layer.digest) return found;
      late = false;
      return undefined;
    },
  });
  const { get, registry, store: disk, settled } = await alpine({ store });
  await get(path);
  await settled();
  registry.hold(other.name, image(), '1');
  await get('/v2/other/manifests/1');
  late = true;
  assert.equal((await get(elsewhere)).status, 404);
  assert.equal(late, false);
  assert.equal(await disk.book.standing(other, layer.digest as never), undefined);
  assert.ok(await disk.book.verdict(other), 'and what was never there says nothing about the repository');
  assert.equal((await get(elsewhere)).status, 404);
});

it('a pull that has to try again is admitted again', async () => {
  const fails = Promise.withResolvers<never>();
  const begun = Promise.withResolvers<void>();
  const joined = Promise.withResolvers<void>();
  let broken = true;
  let opened = 0;
  /** The first fill fails when the test says so. */
  const store = (blobs: BlobStore): BlobStore => ({
    ...bound(blobs),
    fill(...order): Fill {
      if (!broken || order[0] !== layer.digest) return blobs.fill(...order);
      broken = false;
      const open = () => {
        opened += 1;
        if (opened === 1) begun.resolve();
        if (opened === 2) joined.resolve();
        return fails.promise;
      };
      return { size: fails.promise, done: fails.promise, open };
    },
  });
  const { get, head, registry, store: disk, settled } = await alpine({ store });
  registry.hold(other.name, image({ layers: [layer] }), '1');
  await get('/v2/other/manifests/1');
  await head(elsewhere);
  const mine = get(path);
  await begun.promise;
  const theirs = get(elsewhere);
  await joined.promise;
  // Meanwhile the repository is no longer public, and the bytes come in by another way.
  registry.levers.answers.push(answer.unauthorized(/library\/other/));
  await disk.book.judge(other, undefined);
  const fill = disk.blobs.fill(layer.digest as never, [
    async () => ({
      offset: 0,
      size,
      stream: (async function* () {
        yield layer.bytes.read(0, size);
      })(),
    }),
  ]);
  await fill.done;
  fails.reject(new RegistryError('UNAVAILABLE', 'by the test'));
  assert.equal((await mine).status, 503);
  assert.equal((await theirs).status, 401);
  await settled();
});

it('a blob that was refused is not fetched again before the fill is over', async () => {
  const over = Promise.withResolvers<never>();
  const refusal = new RegistryError('UNAVAILABLE', 'by the test');
  let fills = 0;
  const store = (blobs: BlobStore): BlobStore => ({
    ...bound(blobs),
    fill(...order): Fill {
      if (order[0] !== layer.digest) return blobs.fill(...order);
      fills += 1;
      if (fills > 1) return blobs.fill(...order);
      const refused = Promise.reject(refusal);
      return { size: refused, done: over.promise, open: () => refused };
    },
  });
  const { get } = await alpine({ store });
  assert.equal((await get(path)).status, 503);
  const again = get(path);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  assert.equal(fills, 1);
  over.reject(refusal);
  assert.equal((await again).body.length, size);
  assert.equal(fills, 2);
});
