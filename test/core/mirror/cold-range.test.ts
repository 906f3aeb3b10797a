// A range of a blob that is not here, over everything real: it is asked for first, and the rest behind it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseDigest } from '../../../src/core/oci/digest.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { world } from './world.ts';

it('a range of a cold blob is asked for alone, first, and is here before the rest is', async () => {
  const big = randomBytes(11, 4_000_000);
  const item = image({ layers: [layerOf(big)] });
  const { digest } = item.blobs.at(-1)!;
  const { get, registry, settled, store } = await world();
  registry.hold('library/alpine', item, 'big');
  await get('/v2/alpine/manifests/big');
  await get(`/v2/alpine/blobs/${digest}`, { method: 'HEAD' });
  const gate = new Gate();
  registry.levers.stall = { after: 2_000_000, gate, digest };
  registry.log.length = 0;
  const told = await get(`/v2/alpine/blobs/${digest}`, { range: 'bytes=3000000-3000099' });
  assert.deepEqual([told.status, told.headers['content-range']], [206, 'bytes 3000000-3000099/4000000']);
  assert.ok(told.body.equals(big.subarray(3_000_000, 3_000_100)));
  await gate.reached();
  const suffix = await get(`/v2/alpine/blobs/${digest}`, { range: 'bytes=-100' });
  assert.ok(suffix.body.equals(big.subarray(-100)), 'the start of it is stalled');
  gate.open();
  await settled();
  assert.equal(await store.blobs.stat(parseDigest(digest)), big.length);
  const ranges = registry.asked(digest, 'GET').map(({ headers }) => headers.range);
  assert.deepEqual(ranges, ['bytes=3000000-', 'bytes=0-2999999']);
});
