// What well-known Workers for the same purpose get wrong, as far as no other test has it: none of it happens here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secrets } from '../conformance/door.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { answer } from '../fakes/registry/levers.ts';
import { errorOf, startEdge } from './edge.ts';
import { blobAt, hubImage, layer, world } from './world.ts';

const w = world();

describe('a request', () => {
  test('of a browser, or with a name that others take for a page, is a pull like any other', async () => {
    for (const repository of ['library/token', 'library/search', 'acme/v2', 'acme/token/manifests']) {
      w.hub.hold(repository, hubImage, 'latest');
      const { status, headers, body } = await w.edge.get(`/v2/${repository}/manifests/latest`, {
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)',
      });
      assert.deepEqual([status, headers['location'], body], [200, undefined, hubImage.body], repository);
    }
  });

  test('of a single name is for library/ at Docker Hub, without a redirect, and at no other registry', async () => {
    w.other.hold('pause', hubImage, 'latest');
    assert.equal((await w.edge.get('/v2/alpine/manifests/latest')).status, 200);
    assert.equal((await w.edge.get('/v2/ghcr.io/pause/manifests/latest')).status, 200);
    assert.ok(w.other.log.every(({ path }) => path.startsWith('/v2/pause/')));
  });

  test('for a list keeps its query', async () => {
    w.hub.levers.pageSize = 1;
    w.hub.hold('acme/many', image({ layers: [layer] }), 'a');
    w.hub.hold('acme/many', image({ layers: [layer] }), 'b');
    const { body } = await w.edge.get('/v2/acme/many/tags/list?n=1&last=a');
    assert.deepEqual((JSON.parse(body.toString()) as { tags: string[] }).tags, ['b']);
  });

  test('without headers sends no made-up ones', async () => {
    await w.edge.get('/v2/acme/none/manifests/latest');
    await w.edge.get(blobAt);
    for (const { headers } of w.hub.log) assert.ok(!Object.values(headers).includes('null'));
  });

  test('for anything but the registry API goes nowhere', async () => {
    for (const target of [
      '/v1/search?q=x',
      '/v2/_catalog',
      '/robots.txt',
      '/favicon.ico',
      '/token',
      '/_next/x',
      '//',
    ]) {
      await w.edge.get(target);
      await w.edge.ask({ method: 'PUT', target });
    }
    assert.deepEqual([...w.hub.log, ...w.other.log], []);
  });
});

describe('an answer', () => {
  for (const [status, told] of [
    [404, 404],
    [429, 429],
    [403, 403],
    [503, 503],
    [530, 503],
  ] as const) {
    test(`that is a page with ${status} is told in the words of a registry`, async () => {
      w.other.levers.answers = [answer.html(/./, status)];
      for (const what of ['manifests/latest', `blobs/${layer.digest}`, 'tags/list']) {
        const target = `/v2/ghcr.io/page-of-${status}/${what.slice(0, 4)}/${what}`;
        const refused = await w.edge.get(target);
        assert.equal(refused.status, told, target);
        assert.equal(refused.headers['content-type'], 'application/json');
        assert.ok(errorOf(refused).code);
      }
    });
  }

  test('of a token service that limits is a 429 of that service', async () => {
    w.other.levers.token = {};
    w.other.levers.answers = [answer.tooMany(/^\/token/, '17')];
    const refused = await w.edge.get('/v2/ghcr.io/limited/tokens/manifests/latest');
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '17']);
    assert.deepEqual(errorOf(refused).detail, { limitedBy: new URL(w.other.url).host });
  });

  test('to HEAD has the headers of the one to GET', async () => {
    const [head, got] = [await w.edge.head(blobAt), await w.edge.get(blobAt)];
    for (const name of ['content-length', 'content-type', 'docker-content-digest', 'docker-distribution-api-version']) {
      assert.equal(head.headers[name], got.headers[name], name);
    }
  });
});

test('a mistake of ours is an error of a registry, told in one line of the log and not to the client', async (t) => {
  const broken =
    "crypto.subtle.digest = () => { throw new TypeError('of the test, with Bearer swordfish and SECRET'); };".replace(
      'SECRET',
      secrets.bob,
    );
  const { hub } = w;
  hub.hold('library/bug', image({ layers: [layerOf(Buffer.from('bug'))] }), 'latest');
  const edge = await startEdge(
    { access: 'open', registries: { 'docker.io': { endpoints: [hub.url] } } },
    { before: broken },
  );
  t.after(() => edge.close());
  const refused = await edge.get('/v2/bug/manifests/latest');
  assert.deepEqual([refused.status, errorOf(refused).code], [500, 'UNKNOWN']);
  assert.doesNotMatch(refused.body.toString(), /TypeError|of the test|\.ts|\.js/);
  await edge.logged(/of the test/);
  const bugs = edge.log.filter((line) => line.includes('of the test'));
  assert.equal(bugs.length, 1);
  assert.doesNotMatch(bugs[0]!, /swordfish|\n/);
  assert.ok(!bugs[0]!.includes(secrets.bob.slice(7)));
});
