// Whatever stops answering in the middle, an upstream or what Cloudflare lends, is given up, and the pull goes on without it.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type Handle, manifestBytes, ociImage, send, sendManifest, serve } from '../core/upstream/bench.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { errorOf, type Lent, startEdge } from './edge.ts';
import { imageOf } from './kept-world.ts';

/** In this Worker time runs ten times as fast. */
const faster = `{
  const { now } = Date;
  Date.now = () => 10 * now();
  const later = globalThis.setTimeout;
  globalThis.setTimeout = (ring, ms) => later(ring, ms / 10);
  globalThis.hangs = () => new Promise(() => {});
}`;

async function edgeOver(t: TestContext, endpoints: readonly string[], realms: readonly string[], lent: Lent = {}) {
  const registries = { 'docker.io': { endpoints: [...endpoints], realms: [...realms] } };
  const edge = await startEdge({ access: 'open', registries }, { ...lent, before: `${faster}\n${lent.before ?? ''}` });
  t.after(() => edge.close());
  return edge;
}

const json = { 'content-type': 'application/json' };
const list = '{"name":"x","tags":["a"]}';
const sendList: Handle = (_, response) => send(response, 200, json, list);

/** To a GET all but the end. */
function stops(status: number, headers: Record<string, string>): Handle {
  return (request, response) => {
    if (request.method === 'HEAD') sendManifest(request, response);
    else response.writeHead(status, { ...headers, 'content-length': 1000 }).write('{');
  };
}

for (const [what, path, good, body, hangs] of [
  ['manifest', 'manifests/latest', sendManifest, manifestBytes, stops(200, { 'content-type': ociImage })],
  ['list', 'tags/list', sendList, Buffer.from(list), stops(200, json)],
] as const) {
  test(`a ${what} that stops coming is asked of the next endpoint`, async (t) => {
    const [first, second] = [await serve(hangs), await serve(good)];
    const edge = await edgeOver(t, [first.url, second.url], []);
    assert.deepEqual((await edge.get(`/v2/x/${path}`)).body, body);
    const alone = await edgeOver(t, [first.url], []);
    const refused = await alone.get(`/v2/x/${path}`);
    assert.deepEqual([refused.status, errorOf(refused).code], [503, 'UNAVAILABLE']);
  });
}

test('so is what wants a token that stops coming', async (t) => {
  const issuer = await serve(stops(200, json));
  const wanting = await serve((_, response) =>
    send(response, 401, { 'www-authenticate': `Bearer realm="${issuer.url}/token"` }),
  );
  const edge = await edgeOver(t, [wanting.url, (await serve(sendManifest)).url], [`${issuer.url}/token`]);
  assert.deepEqual((await edge.get('/v2/x/manifests/latest')).body, manifestBytes);
});

for (const [what, code] of [
  ['does not open', 'caches.open = (name) => (console.log("asked"), hangs());'],
  ['does not answer', 'caches.open = async () => ({ match: () => (console.log("asked"), hangs()) });'],
  [
    'does not go on',
    `caches.open = async () => ({ match: async () => (console.log("asked"), new Response(new ReadableStream({ pull: hangs }))) });`,
  ],
] as const) {
  test(`a cache that ${what} is waited for once in a request`, async (t) => {
    const hub = await startRegistry();
    t.after(() => hub.down());
    const { item, layer, bytes } = imageOf(what);
    hub.hold('library/x', item, 'latest');
    const edge = await edgeOver(t, [hub.url], [], { before: code });
    for (const [path, body] of [
      ['manifests/latest', item.body],
      [`blobs/${layer.digest}`, bytes],
    ] as const) {
      const asked = edge.log.filter((line) => line === 'asked').length;
      const found = await edge.get(`/v2/x/${path}`);
      // Not by `deepEqual`, which tells the difference between so many bytes at the cost of all memory.
      assert.ok(found.status === 200 && found.body.equals(body));
      await edge.logged(/^asked$/, asked + 1);
      assert.equal(edge.log.filter((line) => line === 'asked').length - asked, 1);
    }
  });
}

test('a bucket that does not answer costs no pull', async (t) => {
  const hub = await startRegistry();
  t.after(() => hub.down());
  const { item, layer, bytes } = imageOf('bucket');
  hub.hold('library/x', item);
  const before = `import { env as lent } from 'cloudflare:workers';
Object.assign(Object.getPrototypeOf(lent.BLOBS), { head: hangs, get: hangs });`;
  const edge = await edgeOver(t, [hub.url], [], { before, bucket: true });
  const target = `/v2/x/blobs/${layer.digest}`;
  // Proven, so that what is kept may be shown.
  assert.equal((await edge.head(target)).status, 200);
  const found = await edge.get(target);
  assert.ok(found.status === 200 && found.body.equals(bytes));
});
