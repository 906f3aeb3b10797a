// What one pull costs of the limits of Cloudflare's free plan: requests of the Worker, and subrequests of each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCdn } from '../fakes/registry/cdn.ts';
import { image, index, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { startEdge } from './edge.ts';

test('an image with eight layers costs thirteen requests, and none of them more than three subrequests', async (t) => {
  const registry = await startRegistry();
  const cdn = await startCdn(registry);
  registry.levers.token = { expiresIn: 300 };
  registry.levers.redirect = cdn.url;
  const layers = Array.from({ length: 8 }, (_, at) => layerOf(Buffer.from(`layer ${at}`)));
  const child = image({ layers });
  const item = registry.hold('library/eight', index([child]), 'latest');
  const redirects = [cdn.url];
  const edge = await startEdge({
    access: 'open',
    registries: { 'docker.io': { endpoints: [registry.url], redirects } },
  });
  t.after(() => Promise.all([edge.close(), registry.down(), cdn.down()]));

  // As dockerd pulls by `registry-mirrors`, or by a name of ours.
  const asked: readonly (readonly [method: string, target: string])[] = [
    ['GET', '/v2/'],
    ['HEAD', '/v2/eight/manifests/latest'],
    ['GET', `/v2/eight/manifests/${item.digest}`],
    ['GET', `/v2/eight/manifests/${child.digest}`],
    ...child.blobs.map(({ digest }) => ['GET', `/v2/eight/blobs/${digest}`] as const),
  ];
  const costs: number[] = [];
  for (const [method, target] of asked) {
    const before = registry.log.length + cdn.log.length;
    const { status } = await edge.ask({ method, target });
    assert.equal(status, 200);
    costs.push(registry.log.length + cdn.log.length - before);
  }
  // Nothing for the ping; a challenge, a token and the HEAD for the first; then one each, and one more where it is redirected.
  assert.deepEqual(costs, [0, 3, 1, 1, ...child.blobs.map(() => 2)]);
  assert.equal(asked.length, 13);
});
