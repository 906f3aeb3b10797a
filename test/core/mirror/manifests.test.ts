import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, index, json, layerOf, raw, types } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { minute, second, world } from './world.ts';

const alpine = () => image({ layers: [layerOf(randomBytes(1, 3000))] });

describe('a manifest by tag', () => {
  it('comes whole and as it is, with type, length and digest', async () => {
    const { registry, get } = await world();
    const item = registry.hold('library/alpine', alpine(), '3');
    const told = await get('/v2/alpine/manifests/3');
    assert.equal(told.status, 200);
    assert.deepEqual(told.body, item.body);
    assert.equal(told.headers['content-type'], item.mediaType);
    assert.equal(told.headers['content-length'], String(item.body.length));
    assert.equal(told.headers['docker-content-digest'], item.digest);
    assert.equal(told.headers['etag'], `"${item.digest}"`);
    assert.equal(told.headers['cache-status'], 'sampan; fwd=miss; stored');
  });

  it('is fetched by HEAD and one GET by digest, and then not at all while it is fresh', async () => {
    const { registry, get, asked, clock, settled } = await world();
    const { digest, blobs } = registry.hold('library/alpine', alpine(), '3');
    await get('/v2/alpine/manifests/3');
    assert.deepEqual(asked(), ['HEAD /v2/library/alpine/manifests/3', `GET /v2/library/alpine/manifests/${digest}`]);
    for (const blob of blobs) await get(`/v2/alpine/blobs/${blob.digest}`);
    await settled();
    asked();
    clock.forward(59 * second);
    const again = await get('/v2/alpine/manifests/3');
    assert.equal(again.headers['cache-status'], 'sampan; hit');
    assert.deepEqual(asked(), []);
  });

  it('is looked at with a HEAD when it is no longer fresh, and served from here if it did not move', async () => {
    const { registry, get, asked, clock } = await world();
    registry.hold('library/alpine', alpine(), '3');
    await get('/v2/alpine/manifests/3');
    clock.forward(minute);
    asked();
    assert.equal((await get('/v2/alpine/manifests/3')).headers['cache-status'], 'sampan; hit');
    assert.deepEqual(asked(), ['HEAD /v2/library/alpine/manifests/3']);
  });

  it('follows a tag that moved', async () => {
    const { registry, get, clock } = await world();
    registry.hold('library/alpine', alpine(), '3');
    await get('/v2/alpine/manifests/3');
    const moved = registry.hold('library/alpine', image({ layers: [layerOf(randomBytes(2, 3000))] }), '3');
    clock.forward(minute);
    assert.deepEqual((await get('/v2/alpine/manifests/3')).body, moved.body);
  });

  it('is looked at once, however many ask', async () => {
    const { registry, get, asked } = await world();
    const { digest } = registry.hold('library/alpine', alpine(), '3');
    const all = await Promise.all(Array.from({ length: 20 }, () => get('/v2/alpine/manifests/3')));
    assert.deepEqual(new Set(all.map((told) => told.headers['docker-content-digest'])), new Set([digest]));
    assert.deepEqual(asked(), ['HEAD /v2/library/alpine/manifests/3', `GET /v2/library/alpine/manifests/${digest}`]);
  });

  it('answers HEAD without fetching the manifest', async () => {
    const { registry, head, asked } = await world();
    const item = registry.hold('library/alpine', alpine(), '3');
    const told = await head('/v2/alpine/manifests/3');
    assert.equal(told.status, 200);
    assert.equal(told.body.length, 0);
    assert.equal(told.headers['content-length'], String(item.body.length));
    assert.deepEqual(asked(), ['HEAD /v2/library/alpine/manifests/3']);
  });

  it('is found although the upstream tells no digest at HEAD, or knows no HEAD', async () => {
    for (const lever of ['digestHeader', 'head'] as const) {
      const { registry, get } = await world();
      if (lever === 'head') registry.levers.head = false;
      else registry.levers.digestHeader = 'never';
      const item = registry.hold('library/alpine', alpine(), '3');
      const told = await get('/v2/alpine/manifests/3');
      assert.deepEqual([told.status, told.headers['docker-content-digest']], [200, item.digest]);
    }
  });

  it('is 404 while the upstream has none, which is remembered for ten seconds', async () => {
    const { registry, get, asked, clock } = await world();
    registry.hold('library/alpine', alpine(), '3');
    assert.deepEqual([(await get('/v2/alpine/manifests/4')).code], ['MANIFEST_UNKNOWN']);
    asked();
    assert.equal((await get('/v2/alpine/manifests/4')).status, 404);
    assert.deepEqual(asked(), []);
    clock.forward(11 * second);
    registry.hold('library/alpine', alpine(), '4');
    assert.equal((await get('/v2/alpine/manifests/4')).status, 200);
  });

  it('is never served past "it is gone"', async () => {
    const { registry, get, clock } = await world();
    registry.hold('library/alpine', alpine(), '3');
    await get('/v2/alpine/manifests/3');
    registry.drop('library/alpine', '3');
    clock.forward(minute);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 404);
    await registry.down();
    clock.forward(minute);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 503);
  });

  it('is 304 for whoever has it', async () => {
    const { registry, get } = await world();
    const { digest } = registry.hold('library/alpine', alpine(), '3');
    const told = await get('/v2/alpine/manifests/3', { ifNoneMatch: `"${digest}"` });
    assert.deepEqual([told.status, told.body.length], [304, 0]);
  });

  it('answers with the ns it was asked with', async () => {
    const { registry, get } = await world();
    registry.hold('library/alpine', alpine(), '3');
    assert.equal((await get('/v2/library/alpine/manifests/3?ns=docker.io')).headers['oci-namespace'], 'docker.io');
  });
});

describe('a manifest by digest', () => {
  it('costs one GET the first time and nothing after that, a restart included', async () => {
    const { registry, get, asked, restart } = await world();
    const item = registry.hold('library/alpine', index([alpine()]), '3');
    const child = item.children[0];
    assert.ok(child);
    await get('/v2/alpine/manifests/3');
    asked();
    await get(`/v2/alpine/manifests/${child.digest}`);
    assert.deepEqual(asked(), [`GET /v2/library/alpine/manifests/${child.digest}`]);
    for (const layer of child.blobs) await get(`/v2/alpine/blobs/${layer.digest}`);
    await restart();
    asked();
    const told = await get(`/v2/alpine/manifests/${child.digest}`);
    assert.deepEqual([told.headers['cache-status'], told.body.equals(child.body)], ['sampan; hit', true]);
    assert.deepEqual(asked(), []);
  });

  it('works with sha512', async () => {
    const { registry, get } = await world();
    const item = registry.hold(
      'library/alpine',
      image({ layers: [layerOf(randomBytes(1, 100), 'sha512')], algorithm: 'sha512' }),
    );
    assert.deepEqual((await get(`/v2/alpine/manifests/${item.digest}`)).body, item.body);
    for (const blob of item.blobs) assert.equal((await get(`/v2/alpine/blobs/${blob.digest}`)).status, 200);
  });
});

describe('what an upstream should not send as a manifest', () => {
  const image1 = alpine();
  const both = { ...(JSON.parse(image1.body.toString()) as object), manifests: [] };
  const cases = {
    'a document that is index and image': { item: raw(types.oci.manifest, json(both)), status: 502 },
    'truncated JSON': { item: raw(types.oci.manifest, image1.body.subarray(0, 40)), status: 502 },
    'more than 4 MiB': { item: raw(types.oci.manifest, Buffer.alloc(4 * 1024 * 1024 + 1, ' ')), status: 502 },
    'Docker schema 1': {
      item: raw('application/vnd.docker.distribution.manifest.v1+prettyjws', json({ schemaVersion: 1, name: 'x' })),
      status: 400,
    },
    'an index that is called an image': { item: raw(types.oci.manifest, index([image1]).body), status: 502 },
  };
  for (const [name, { item, status }] of Object.entries(cases)) {
    it(`${name}: MANIFEST_INVALID, and nothing is kept`, async () => {
      const { registry, get, store } = await world();
      registry.hold('library/alpine', item, '3');
      const told = await get('/v2/alpine/manifests/3');
      assert.deepEqual([told.status, told.code], [status, 'MANIFEST_INVALID']);
      const byDigest = await get(`/v2/alpine/manifests/${item.digest}`);
      assert.deepEqual([byDigest.status, byDigest.code], [status, 'MANIFEST_INVALID']);
      assert.equal(store.usage().blobs, 0);
    });
  }

  it('bytes of another digest: MANIFEST_INVALID', async () => {
    const { registry, get, store } = await world();
    registry.hold('library/alpine', image1, '3');
    registry.levers.lie = { digest: image1.digest, bytes: 'all' };
    assert.deepEqual([(await get('/v2/alpine/manifests/3')).status, store.usage().blobs], [502, 0]);
  });

  for (const status of [401, 403, 404, 429, 500, 503]) {
    it(`an answer of ${status}: the same in OCI's words, once it has been tried again where that may help`, async () => {
      const { registry, get } = await world();
      registry.hold('library/alpine', image1, '3');
      registry.levers.answers.push({
        path: /manifests/,
        status,
        body: '<html>no</html>',
        headers: { 'retry-after': '30' },
      });
      const told = await get('/v2/alpine/manifests/3');
      assert.equal(told.status, status === 500 ? 503 : status);
      assert.equal(told.headers['content-type'], 'application/json');
      if (status === 429) assert.equal(told.headers['retry-after'], '30');
    });
  }

  it('an HTML page with a 200: MANIFEST_INVALID', async () => {
    const { registry, get } = await world();
    registry.hold('library/alpine', image1, '3');
    registry.levers.answers.push(answer.html(/manifests/));
    assert.equal((await get('/v2/alpine/manifests/3')).status, 502);
  });
});
