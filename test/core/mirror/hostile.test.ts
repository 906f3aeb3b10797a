// What clients, authors and upstreams could do to others, and must not be able to.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { startCdn } from '../../fakes/registry/cdn.ts';
import { type Item, artifact, image, index, json, layerOf, raw, types } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { type World, hour, minute, second, world } from './world.ts';

const layer = layerOf(randomBytes(1, 5000));
const item = image({ layers: [layer] });
const nowhere = `sha256:${'0'.repeat(64)}`;

/** `victim/app:1` has been pulled whole. */
async function pulled(options: Parameters<typeof world>[0] = {}, what: Item = item): Promise<World> {
  const all = await world(options);
  all.registry.hold('victim/app', what, '1');
  await all.get('/v2/victim/app/manifests/1');
  for (const { digest } of what.blobs) assert.equal((await all.get(`/v2/victim/app/blobs/${digest}`)).status, 200);
  await all.settled();
  all.asked();
  return all;
}

const tagOf = async ({ get }: World) => get('/v2/victim/app/manifests/1');
const blobOf = async ({ get }: World) => get(`/v2/victim/app/blobs/${layer.digest}`);

describe('a client', () => {
  it('learns nothing from a range about a blob that it may not have', async () => {
    const all = await pulled();
    all.registry.hold('evil/app', image(), '1');
    await all.get('/v2/evil/app/manifests/1');
    for (const digest of [layer.digest, nowhere]) {
      const told = await all.get(`/v2/evil/app/blobs/${digest}`, { range: 'bytes=99999999-' });
      assert.deepEqual([told.status, told.headers['content-range']], [404, undefined]);
    }
  });

  it('takes nothing from others by asking for a layer as a manifest, or for a manifest as a blob', async () => {
    const all = await pulled();
    assert.equal((await all.get(`/v2/victim/app/manifests/${layer.digest}`)).status, 404);
    assert.equal((await all.get(`/v2/victim/app/blobs/${item.digest}`)).status, 404);
    await all.registry.down();
    all.clock.forward(minute);
    assert.deepEqual([(await tagOf(all)).status, (await blobOf(all)).status], [200, 200]);
  });

  it('hides no referrers by asking for those of a repository that is not there', async () => {
    const all = await pulled();
    all.registry.hold('victim/app', artifact({ subject: item }));
    await all.get(`/v2/no/such/referrers/${item.digest}`);
    all.clock.forward(2 * minute);
    const told = await all.get(`/v2/victim/app/referrers/${item.digest}`);
    assert.equal((JSON.parse(told.text) as { manifests: unknown[] }).manifests.length, 1);
  });

  it('keeps no tag stale by asking for what the upstream stumbles over', async () => {
    const all = await pulled();
    all.registry.levers.answers.push(answer.unavailable(/tags\/list|referrers|manifests\/bad/, 500));
    const moved = all.registry.hold('victim/app', image({ layers: [layerOf(randomBytes(5, 10))] }), '1');
    all.clock.forward(2 * minute);
    for (const path of ['tags/list', `referrers/${item.digest}`, 'manifests/bad']) {
      await all.get(`/v2/victim/app/${path}`);
    }
    assert.equal((await tagOf(all)).headers['docker-content-digest'], moved.digest);
  });

  it('leaves no trace in the book of names that were never public', async () => {
    const all = await pulled();
    all.registry.levers.answers.push(answer.unauthorized(/made-up/));
    assert.equal((await all.get('/v2/made-up/app/manifests/1')).status, 401);
    assert.equal(await all.store.book.verdict({ registry: 'docker.io', name: 'made-up/app' }), undefined);
  });

  it('that repeats at once after a 429 does not reach the upstream', async () => {
    const all = await pulled();
    all.registry.levers.answers.push(answer.tooMany(/./));
    for (let i = 0; i < 5; i++) assert.equal((await all.get('/v2/victim/app/manifests/2')).status, 429);
    assert.equal(all.asked().length, 1);
    all.clock.forward(4 * second);
    await all.get('/v2/victim/app/manifests/2');
    assert.equal(all.asked().length, 1);
  });

  it('that asks for referrers with many others makes one request of it', async () => {
    const all = await pulled();
    await Promise.all(Array.from({ length: 20 }, () => all.get(`/v2/victim/app/referrers/${item.digest}`)));
    assert.equal(all.asked().length, 1);
  });
});

describe('an author of manifests', () => {
  it('empties no cache by claiming that a layer is huge', async () => {
    const all = await pulled({ limit: 10_000_000 });
    const before = all.store.usage();
    const config = { mediaType: 'application/json', digest: nowhere, size: 9_999_999 };
    const claim = json({ schemaVersion: 2, mediaType: types.oci.manifest, config, layers: [] });
    all.registry.hold('evil/app', raw(types.oci.manifest, claim), '1');
    await all.get('/v2/evil/app/manifests/1');
    assert.equal((await all.get(`/v2/evil/app/blobs/${nowhere}`)).status, 404);
    await all.settled();
    assert.ok(all.store.usage().bytes >= before.bytes);
    assert.ok(!all.events.some((event) => event.kind === 'evicted'));
  });

  it('that gives an image the wrong type in an index harms only that index', async () => {
    const all = await world();
    const manifests = [{ mediaType: types.docker.manifest, digest: item.digest, size: item.body.length }];
    all.registry.hold('a/b', item);
    all.registry.hold(
      'a/b',
      raw(types.oci.index, json({ schemaVersion: 2, mediaType: types.oci.index, manifests })),
      '1',
    );
    for (const path of ['1', item.digest, '1']) assert.equal((await all.get(`/v2/a/b/manifests/${path}`)).status, 200);
    all.clock.forward(2 * minute);
    assert.equal((await all.get('/v2/a/b/manifests/1')).status, 200);
  });

  it('that lists more images than there are costs no look at each of them', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({
      mediaType: types.oci.manifest,
      digest: `sha256:${i.toString(16).padStart(64, '0')}`,
      size: 1,
    }));
    let looks = 0;
    const all = await world({
      store: (blobs) => ({
        stat: (digest) => blobs.stat(digest),
        open: (digest, range) => blobs.open(digest, range),
        fill: (digest, sources, expected) => blobs.fill(digest, sources, expected),
        delete: (digest) => blobs.delete(digest),
        check: (digest) => blobs.check(digest),
        read: (digest, most) => {
          looks += 1;
          return blobs.read(digest, most);
        },
      }),
    });
    const document = { schemaVersion: 2, mediaType: types.oci.index, manifests: many };
    all.registry.hold('a/b', raw(types.oci.index, json(document)), '1');
    await all.get('/v2/a/b/manifests/1');
    all.clock.forward(2 * minute);
    await all.registry.down();
    assert.equal((await all.get('/v2/a/b/manifests/1')).status, 503);
    assert.ok(looks < 100, `${looks} looks`);
  });
});

describe('an upstream', () => {
  for (const [status, told] of [
    [410, 404],
    [451, 403],
  ] as const) {
    it(`that answers ${status} is believed: nothing is served stale after it`, async () => {
      const all = await pulled();
      all.clock.forward(20 * minute);
      all.registry.levers.answers.push({ path: /./, status });
      assert.deepEqual([(await tagOf(all)).status, (await blobOf(all)).status], [told, told]);
    });
  }

  it('whose CDN signs for GET alone is taken at its word, cold, proven and warm', async () => {
    const all = await world();
    const cdn = await startCdn(all.registry);
    cdn.levers.answers.push({ ...answer.denied(/./), method: 'HEAD' });
    all.registry.levers.redirect = cdn.url;
    all.allowRedirects(cdn.url);
    for (const repository of ['victim/app', 'other/app']) {
      all.registry.hold(repository, item, '1');
      await all.get(`/v2/${repository}/manifests/1`);
      assert.equal((await all.get(`/v2/${repository}/blobs/${layer.digest}`)).status, 200);
      await all.settled();
    }
    all.clock.forward(16 * minute);
    assert.equal((await blobOf(all)).status, 200);
    assert.equal((await all.head(`/v2/victim/app/blobs/${layer.digest}`)).status, 200);
    await cdn.down();
  });

  it('that fails right after it answered does not get half an image announced', async () => {
    const all = await pulled();
    await all.store.blobs.delete(layer.digest as never);
    assert.equal((await tagOf(all)).status, 200);
    await all.registry.down();
    assert.equal((await blobOf(all)).status, 503);
    assert.equal((await tagOf(all)).status, 503);
  });

  it('that is gone gets no half of an image announced, although the tag is fresh', async () => {
    const all = await pulled();
    await all.store.blobs.delete(layer.digest as never);
    all.clock.forward(6 * second);
    await all.registry.down();
    assert.equal((await tagOf(all)).status, 503);
    assert.equal((await all.get(`/v2/victim/app/manifests/${item.digest}`)).status, 503);
  });

  it('is told apart from a range that lies outside, also past the store', async () => {
    const all = await pulled();
    const asking = { range: 'bytes=5000-10000', authorization: 'Bearer x' };
    const told = await all.get(`/v2/victim/app/blobs/${layer.digest}`, asking);
    assert.deepEqual([told.status, told.code, told.headers['content-range']], [416, 'RANGE_INVALID', 'bytes */5000']);
  });
});

describe('a clock', () => {
  it('that was ahead and is put right keeps nothing fresh', async () => {
    const all = await world();
    all.registry.hold('victim/app', item, '1');
    all.clock.forward(365 * 24 * hour);
    await tagOf(all);
    assert.equal((await all.get('/v2/victim/app/manifests/2')).status, 404);
    all.clock.forward(-365 * 24 * hour);
    const moved = all.registry.hold('victim/app', image({ layers: [layerOf(randomBytes(5, 10))] }), '1');
    all.registry.hold('victim/app', moved, '2');
    assert.equal((await tagOf(all)).headers['docker-content-digest'], moved.digest);
    assert.equal((await all.get('/v2/victim/app/manifests/2')).status, 200);
  });
});

describe('an index', () => {
  it('of two images is served stale if one of them is here', async () => {
    const other = image({ layers: [layerOf(randomBytes(9, 10))], platform: { os: 'linux', architecture: 'arm64' } });
    const both = index([item, other]);
    const all = await world();
    all.registry.hold('a/b', both, '1');
    for (const path of ['manifests/1', `manifests/${item.digest}`]) await all.get(`/v2/a/b/${path}`);
    for (const { digest } of item.blobs) await all.get(`/v2/a/b/blobs/${digest}`);
    await all.settled();
    await all.registry.down();
    all.clock.forward(20 * minute);
    assert.equal((await all.get('/v2/a/b/manifests/1')).status, 200);
    assert.equal((await all.get(`/v2/a/b/manifests/${other.digest}`)).status, 503);
  });
});
