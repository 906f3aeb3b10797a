// What one pull costs of the limits of Cloudflare's free plan: requests of the Worker, and subrequests of each.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startCdn } from '../fakes/registry/cdn.ts';
import { image, index, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { elsewhere, operationsOf, waiting } from './behind.ts';
import { startEdge } from './edge.ts';

type Cost = readonly [upstream: number, cache: number];

/** A registry that wants tokens and redirects, with an image of eight layers, and a Worker that knows nothing yet. */
async function eightLayers(t: TestContext) {
  const registry = await startRegistry();
  const cdn = await startCdn(registry);
  registry.levers.token = { expiresIn: 300 };
  registry.levers.redirect = cdn.url;
  const layers = Array.from({ length: 8 }, (_, at) => layerOf(Buffer.from(`layer ${at}`)));
  const child = image({ layers });
  const item = registry.hold('library/eight', index([child]), 'latest');
  const registries = { 'docker.io': { endpoints: [registry.url], redirects: [cdn.url] } };
  const edge = await startEdge({ access: 'open', registries }, { around: waiting() });
  t.after(() => Promise.all([edge.close(), registry.down(), cdn.down()]));
  const costOf = async (method: string, target: string, headers = {}): Promise<Cost> => {
    const before = registry.log.length + cdn.log.length;
    const reply = await edge.ask({ method, target, headers });
    assert.equal(reply.status, 200);
    const cost = [registry.log.length + cdn.log.length - before, operationsOf(reply)] as const;
    assert.ok(cost[0] + cost[1] <= most, `${method} ${target}: ${cost.join(' and ')}`);
    return cost;
  };
  return { child, item, costOf };
}

/** Of upstream and cache together, of the fifty of the free plan. */
const most = 13;

for (const [what, of, cost] of [
  ['a blob', 'blob', [6, 7]],
  ['a tag', 'tag', [4, 8]],
] as const) {
  test(`${what} as the first that a process is asked for costs ${cost[0] + cost[1]} subrequests`, async (t) => {
    const { child, costOf } = await eightLayers(t);
    const path = of === 'tag' ? 'manifests/latest' : `blobs/${child.blobs[0]!.digest}`;
    assert.deepEqual(await costOf('GET', `/v2/eight/${path}`), cost);
  });
}

test('an image with eight layers costs thirteen requests, and none more than ten subrequests', async (t) => {
  const { child, item, costOf } = await eightLayers(t);
  // As dockerd pulls by `registry-mirrors`, or by a name of ours.
  const asked: readonly (readonly [method: string, target: string])[] = [
    ['GET', '/v2/'],
    ['HEAD', '/v2/eight/manifests/latest'],
    ['GET', `/v2/eight/manifests/${item.digest}`],
    ['GET', `/v2/eight/manifests/${child.digest}`],
    ...child.blobs.map(({ digest }) => ['GET', `/v2/eight/blobs/${digest}`] as const),
  ];
  const pull = async (headers = {}) => {
    const costs: Cost[] = [];
    for (const [method, target] of asked) costs.push(await costOf(method, target, headers));
    assert.ok(costs.every(([upstream, cache]) => upstream + cache <= 10));
    return costs;
  };
  const blobs = (cost: Cost) => child.blobs.map(() => cost);
  // Nothing for the ping; a challenge, a token and the HEAD for the first. A blob is fetched twice, for the client and for keeping, and redirected.
  assert.deepEqual(await pull(), [[0, 0], [3, 5], [1, 3], [1, 4], ...blobs([4, 6])]);
  assert.deepEqual(await pull(), [[0, 0], [0, 0], [0, 0], [0, 0], ...blobs([0, 2])]);
  // An isolate that has just started remembers nothing, and asks the cache: for the tag also whether its digest still has standing.
  assert.deepEqual(await pull(elsewhere), [[0, 0], [0, 3], [0, 1], [0, 2], ...blobs([0, 3])]);
  assert.equal(asked.length, 13);
});
