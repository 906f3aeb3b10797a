// A tag that has moved to what cannot be fetched just now: what is held of it goes on being served, whoever asks and however.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/core/oci/reference.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { startRegistry } from '../../fakes/registry/registry.ts';
import { minute, type World, world } from './world.ts';

const newest = image({ layers: [layerOf(randomBytes(1, 2000))] });
const older = image({ layers: [layerOf(randomBytes(2, 2000))] });
const repository = { registry: 'docker.io', name: 'library/x' };
const manifest = '/v2/library/x/manifests/latest';

/** The older image is here, and the tag has moved to the newest. */
async function moved(options?: Parameters<typeof world>[0]): Promise<World> {
  const all = await world(options);
  all.registry.hold('library/x', older, 'latest');
  assert.equal((await all.get(manifest)).status, 200);
  for (const { digest } of older.blobs) assert.equal((await all.get(`/v2/library/x/blobs/${digest}`)).status, 200);
  await all.settled();
  all.clock.forward(20 * minute);
  all.registry.hold('library/x', newest, 'latest');
  all.asked();
  return all;
}

/** What a client is told that the tag is. */
async function shown(all: World, method = 'GET'): Promise<string> {
  const { status, headers } = await all.get(manifest, { method });
  const digest = headers['docker-content-digest'];
  return status !== 200
    ? String(status)
    : digest === older.digest
      ? 'older'
      : digest === newest.digest
        ? 'newest'
        : '?';
}

const troubles = [answer.tooMany(/manifests\/sha256/), answer.unavailable(/manifests\/sha256/)] as const;

describe('a tag that has moved to what cannot be fetched is what it was', () => {
  for (const trouble of troubles) {
    for (const method of ['GET', 'HEAD'] as const) {
      it(`again and again: ${trouble.status}, first asked for by ${method}`, async () => {
        const all = await moved();
        all.registry.levers.answers.push({ ...trouble, method: 'GET' });
        for (const each of [method, 'GET', 'HEAD', 'GET', 'HEAD']) {
          assert.equal(await shown(all, each), 'older');
          all.clock.forward(minute);
        }
        all.registry.levers.answers = [];
        assert.deepEqual([await shown(all, 'HEAD'), await shown(all)], ['newest', 'newest']);
      });
    }

    it(`for all who ask while it is being found out: ${trouble.status}`, async () => {
      const all = await moved();
      const gate = new Gate();
      all.registry.levers.answers.push({ ...trouble, method: 'GET', gate });
      const first = shown(all);
      await gate.reached();
      const others = [shown(all), shown(all, 'HEAD')];
      const pointer = await all.store.book.pointer(repository, parseTag('latest'));
      assert.equal(pointer?.descriptor.digest, older.digest);
      gate.open();
      assert.deepEqual(await Promise.all([first, ...others]), ['older', 'older', 'older']);
    });

    it(`and the registry is not asked for it with every pull: ${trouble.status}`, async () => {
      const all = await moved();
      all.registry.levers.answers.push({ ...trouble, method: 'GET' });
      await shown(all);
      all.asked();
      for (const method of ['GET', 'HEAD']) assert.equal(await shown(all, method), 'older');
      assert.deepEqual(all.asked(), []);
    });
  }

  it('also where a third party lacks it, and nothing is left at the registry', async () => {
    const mirror = await startRegistry();
    const all = await moved({ entry: { limits: { freeHeads: true }, mirrors: [mirror.url] } });
    all.registry.levers.counts = { limit: 100, left: 0 };
    for (const method of ['HEAD', 'GET', 'GET']) assert.equal(await shown(all, method), 'older');
    await mirror.down();
  });
});

describe('what a tag has moved to', () => {
  it('is fetched once, by a HEAD too, and is what everybody then gets', async () => {
    const all = await moved();
    const told = await Promise.all(['HEAD', 'GET', 'HEAD', 'GET'].map((method) => shown(all, method)));
    assert.deepEqual(told, ['newest', 'newest', 'newest', 'newest']);
    assert.deepEqual(all.asked(), [`HEAD ${manifest}`, `GET /v2/library/x/manifests/${newest.digest}`]);
    assert.deepEqual([await shown(all), all.asked()], ['newest', []]);
  });

  it('is looked for again if somebody changes it while it is being fetched', async () => {
    const all = await moved();
    const gate = new Gate();
    const headers = { 'content-type': newest.mediaType };
    const path = new RegExp(`manifests/${newest.digest}`);
    all.registry.levers.answers.push({ path, method: 'GET', status: 200, headers, body: String(newest.body), gate });
    const pulled = all.get(manifest);
    await gate.reached();
    const last = all.registry.hold('library/x', image({ layers: [layerOf(randomBytes(3, 2000))] }), 'latest');
    await all.mirror.forget({ repository, target: parseTag('latest') });
    gate.open();
    assert.equal((await pulled).headers['docker-content-digest'], last.digest);
    all.asked();
    assert.equal((await all.get(manifest)).headers['docker-content-digest'], last.digest);
    assert.deepEqual(all.asked(), []);
  });
});
