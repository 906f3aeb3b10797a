// A blob of two endpoints, of which one goes wrong in the middle: the other brings the rest, and clients see nothing of it.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { startRegistry } from '../../fakes/registry/registry.ts';
import { second, world } from './world.ts';

const MB = 1_000_000;
const bytes = randomBytes(11, 4 * MB);
const layer = layerOf(bytes);
const path = `/v2/library/two/blobs/${layer.digest}`;

async function two() {
  const other = await startRegistry();
  after(() => other.down());
  const all = await world({ beside: [other] });
  for (const registry of [all.registry, other]) registry.hold('library/two', image({ layers: [layer] }), '1');
  await all.get('/v2/library/two/manifests/1');
  all.asked();
  return { ...all, other };
}

describe('an endpoint', () => {
  it('that stalls in the middle is left for the other after stall_after, and is asked last from then on', async () => {
    const { registry, other, start, clock, settled, asked } = await two();
    const gate = new Gate();
    registry.levers.stall = { after: MB, gate };
    const { body } = await start(path);
    assert.ok(body.kind === 'stream');
    const began = clock.now();
    let got = 0;
    for await (const chunk of body.stream) {
      assert.ok(bytes.subarray(got, got + chunk.length).equals(chunk));
      got += chunk.length;
      // All that has come has been read: from here on the upstream is waited for.
      if (got === MB) setImmediate(() => clock.forward(10 * second));
    }
    assert.equal(got, bytes.length);
    assert.ok(clock.now() - began < 11 * second);
    await settled();
    assert.deepEqual(asked(), [`GET ${path}`]);
    assert.ok(other.log.some(({ headers }) => headers.range?.startsWith(`bytes=${MB}-`)));
    gate.open();
  });
});
