// An upstream that told a wrong size once: that is not believed for ever.
import assert from 'node:assert/strict';
import { it } from 'node:test';
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
