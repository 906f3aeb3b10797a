// An upstream that told a wrong size once: that is not believed for ever.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type BlobStore, NoRoom } from '../../../src/core/mirror/ports.ts';
import { bound } from './bound-store.ts';
import { alpine, bytes, path, size } from './one-layer.ts';
import { minute } from './world.ts';

it('a blob that is said to be too large for the store is stored when the upstream says otherwise', async () => {
  const all = await alpine({ limit: 2 * size });
  all.registry.levers.bend = () => ({ claims: 3 * size });
  await all.get(path).catch(() => undefined);
  all.registry.levers.bend = undefined;
  // Past the store for a while; then it is tried again, and no longer expected to be what it was said to be.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    all.clock.forward(11 * minute);
    await all.get('/v2/alpine/manifests/3');
    assert.ok((await all.get(path)).body.equals(bytes));
    await all.settled();
  }
  assert.equal((await all.head(path)).headers['cache-status'], 'sampan; hit');
});

for (const [what, range] of [
  ['that broke', undefined],
  ['that nobody could see to be wrong', 'bytes=0-9'],
] as const) {
  it(`what the upstream told of a size for a pull past the store ${what} is not believed afterwards`, async () => {
    let full = true;
    const store = (blobs: BlobStore): BlobStore => ({
      ...bound(blobs),
      fill(...order) {
        if (!full) return blobs.fill(...order);
        const refused = Promise.reject(new NoRoom('full'));
        refused.catch(() => undefined);
        return { size: refused, done: refused, open: () => refused };
      },
    });
    const all = await alpine({ store });
    all.registry.levers.bend = () => ({ claims: 2 * size });
    await all.get(path, range === undefined ? {} : { range }).catch(() => undefined);
    all.registry.levers.bend = undefined;
    full = false;
    all.clock.forward(minute);
    await all.get('/v2/alpine/manifests/3');
    const told = await all.get(path);
    assert.equal(told.status, 200);
    assert.ok(told.body.equals(bytes));
  });
}
