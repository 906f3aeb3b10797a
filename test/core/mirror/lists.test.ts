import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { artifact, image, index, layerOf } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { minute, world } from './world.ts';

const item = image({ layers: [layerOf(randomBytes(1, 100))] });
const sbom = artifact({ subject: item, artifactType: 'application/vnd.example.sbom' });
const signature = artifact({ subject: item, artifactType: 'application/vnd.example.signature' });
const path = `/v2/library/alpine/referrers/${item.digest}`;

async function alpine() {
  const all = await world();
  for (const tag of ['1', '2', '3']) all.registry.hold('library/alpine', item, tag);
  await all.get('/v2/alpine/manifests/3');
  all.asked();
  return all;
}

const digestsOf = (text: string) =>
  (JSON.parse(text) as { manifests: { digest: string }[] }).manifests.map((each) => each.digest);

describe('tags', () => {
  it('come page by page, the link in the form in which the client asked', async () => {
    const { registry, get } = await alpine();
    registry.levers.pageSize = 2;
    const expected: Record<string, string> = {
      '/v2/library/alpine/tags/list?n=2': '/v2/library/alpine/tags/list?',
      '/v2/docker.io/library/alpine/tags/list?n=2': '/v2/docker.io/library/alpine/tags/list?',
      '/docker.io/v2/library/alpine/tags/list?n=2': '/docker.io/v2/library/alpine/tags/list?',
    };
    for (const [asked, self] of Object.entries(expected)) {
      const first = await get(asked);
      assert.deepEqual((JSON.parse(first.text) as { tags: string[] }).tags, ['1', '2']);
      const next = /^<([^>]+)>; rel="next"$/.exec(String(first.headers['link']))?.[1] ?? '';
      assert.ok(next.startsWith(self), next);
      const second = await get(next);
      assert.deepEqual((JSON.parse(second.text) as { tags: string[] }).tags, ['3']);
      assert.equal(second.headers['link'], undefined);
    }
    assert.match(String((await get('/v2/library/alpine/tags/list?ns=docker.io&n=2')).headers['link']), /ns=docker\.io/);
  });

  it('are asked for each time, and are 404 for a repository that is not there', async () => {
    const { get, asked } = await alpine();
    await get('/v2/alpine/tags/list');
    await get('/v2/alpine/tags/list');
    assert.equal(asked().length, 2);
    const told = await get('/v2/nowhere/tags/list');
    assert.deepEqual([told.status, told.code], [404, 'NAME_UNKNOWN']);
  });
});

describe('referrers', () => {
  it('are kept like a tag: asked for once while they are fresh', async () => {
    const { registry, get, asked, clock } = await alpine();
    registry.hold('library/alpine', sbom);
    const told = await get(path);
    assert.deepEqual([told.status, told.headers['content-type']], [200, 'application/vnd.oci.image.index.v1+json']);
    assert.deepEqual(digestsOf(told.text), [sbom.digest]);
    assert.equal(asked().length, 1);
    assert.equal((await get(path)).headers['cache-status'], 'sampan; hit');
    assert.deepEqual(asked(), []);
    clock.forward(minute);
    registry.hold('library/alpine', signature);
    assert.equal(digestsOf((await get(path)).text).length, 2);
  });

  it('are filtered by artifact type, and say so', async () => {
    const { registry, get } = await alpine();
    registry.hold('library/alpine', sbom);
    registry.hold('library/alpine', signature);
    const told = await get(`${path}?artifactType=application/vnd.example.signature`);
    assert.deepEqual(digestsOf(told.text), [signature.digest]);
    assert.equal(told.headers['oci-filters-applied'], 'artifactType');
    assert.equal((await get(path)).headers['oci-filters-applied'], undefined);
  });

  it('are served stale while the upstream is down', async () => {
    const { registry, get, clock } = await alpine();
    registry.hold('library/alpine', sbom);
    await get(path);
    await registry.down();
    clock.forward(20 * minute);
    const told = await get(path);
    assert.deepEqual([told.status, digestsOf(told.text)], [200, [sbom.digest]]);
    assert.ok(told.headers['warning']);
  });

  it('of something that nobody knows are an empty index, and are not kept', async () => {
    const { get } = await alpine();
    const unknown = `/v2/library/alpine/referrers/sha256:${'1'.repeat(64)}`;
    for (let i = 0; i < 2; i++) {
      const told = await get(unknown);
      assert.deepEqual(
        [told.status, digestsOf(told.text), told.headers['cache-status']],
        [200, [], 'sampan; fwd=miss'],
      );
    }
  });

  it('come from the fallback tag where the upstream has no endpoint, and cost nothing while that is fresh', async () => {
    const { registry, get, asked } = await alpine();
    registry.levers.referrers = false;
    registry.hold('library/alpine', index([sbom]), item.digest.replace(':', '-'));
    assert.deepEqual(digestsOf((await get(path)).text), [sbom.digest]);
    asked();
    assert.deepEqual(digestsOf((await get(path)).text), [sbom.digest]);
    assert.deepEqual(asked(), []);
  });

  it('of a fallback tag are served stale while the upstream is down', async () => {
    const { registry, get, clock } = await alpine();
    registry.levers.referrers = false;
    registry.hold('library/alpine', index([sbom]), item.digest.replace(':', '-'));
    await get(path);
    await registry.down();
    clock.forward(2 * minute);
    const told = await get(path);
    assert.deepEqual([told.status, digestsOf(told.text)], [200, [sbom.digest]]);
  });

  it('are an empty index where there is neither endpoint nor fallback tag, which is remembered', async () => {
    const { registry, get, asked } = await alpine();
    registry.levers.referrers = false;
    assert.deepEqual(digestsOf((await get(path)).text), []);
    assert.equal(asked().length, 2);
    assert.deepEqual(digestsOf((await get(path)).text), []);
    assert.deepEqual(asked(), []);
    assert.equal((await get(`/v2/alpine/blobs/${item.blobs[0]?.digest}`)).status, 200);
    assert.equal(asked().length, 1);
  });
});

describe('a list that is refused', () => {
  it('says nothing about the images of its repository', async () => {
    const { registry, get, settled, clock } = await alpine();
    for (const { digest } of item.blobs) await get(`/v2/alpine/blobs/${digest}`);
    await settled();
    registry.levers.answers.push(answer.denied(/tags\/list/), answer.unauthorized(/referrers/));
    assert.equal((await get('/v2/alpine/tags/list')).status, 403);
    assert.equal((await get(path)).status, 401);
    await registry.down();
    clock.forward(2 * minute);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 200);
  });
});
