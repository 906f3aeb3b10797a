import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, index, layerOf } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { type World, hour, minute, second, world } from './world.ts';

const arm = { os: 'linux', architecture: 'arm64' };

/** An index of two images, of which the first was pulled whole. */
async function pulled(): Promise<World & { digest: string; layers: string[] }> {
  const all = await world();
  const layers = [layerOf(randomBytes(1, 1000)), layerOf(randomBytes(2, 1000))];
  const item = index([image({ layers }), image({ layers: [layerOf(randomBytes(3, 1000))], platform: arm })]);
  all.registry.hold('library/alpine', item, '3');
  const child = item.children[0];
  assert.ok(child);
  await all.get('/v2/alpine/manifests/3');
  await all.get(`/v2/alpine/manifests/${child.digest}`);
  for (const { digest } of child.blobs) await all.get(`/v2/alpine/blobs/${digest}`);
  await all.settled();
  all.asked();
  return Object.assign(all, { digest: child.digest, layers: layers.map((each) => each.digest) });
}

describe('an image that was pulled before, while its upstream', () => {
  const troubles: Record<string, (world: World) => Promise<void>> = {
    'is down': ({ registry }) => registry.down(),
    'answers 429': async ({ registry }) => void registry.levers.answers.push(answer.tooMany(/./)),
    'answers 503': async ({ registry }) => void registry.levers.answers.push(answer.unavailable(/./)),
    'answers 500': async ({ registry }) => void registry.levers.answers.push(answer.unavailable(/./, 500)),
    'sends HTML': async ({ registry }) => void registry.levers.answers.push(answer.html(/./)),
  };
  for (const [name, happens] of Object.entries(troubles)) {
    it(`${name}: is served stale, with a warning, by tag and by digest`, async () => {
      const all = await pulled();
      await happens(all);
      all.clock.forward(20 * minute);
      const told = await all.get('/v2/alpine/manifests/3');
      assert.deepEqual([told.status, told.headers['cache-status']], [200, 'sampan; hit; detail=stale']);
      assert.match(String(told.headers['warning']), /^299 - "[^"]+"$/);
      assert.equal((await all.head('/v2/alpine/manifests/3')).status, 200);
      assert.equal((await all.get(`/v2/alpine/manifests/${all.digest}`)).status, 200);
      for (const layer of all.layers) assert.equal((await all.get(`/v2/alpine/blobs/${layer}`)).status, 200);
      assert.ok(all.events.some((event) => event.kind === 'stale'));
    });
  }

  it('is down: is not asked again for half a minute', async () => {
    const { registry, clock, get, asked } = await pulled();
    registry.levers.answers.push(answer.unavailable(/./));
    clock.forward(20 * minute);
    await get('/v2/alpine/manifests/3');
    assert.ok(asked().length > 0);
    await get('/v2/alpine/manifests/3');
    assert.deepEqual(asked(), []);
    clock.forward(31 * second);
    await get('/v2/alpine/manifests/3');
    assert.ok(asked().length > 0);
  });

  it('comes back: is fresh again', async () => {
    const { registry, clock, get } = await pulled();
    await registry.down();
    clock.forward(20 * minute);
    await get('/v2/alpine/manifests/3');
    await registry.up();
    clock.forward(31 * second);
    assert.equal((await get('/v2/alpine/manifests/3')).headers['warning'], undefined);
  });

  it('is down over a restart of ours', async () => {
    const { registry, clock, get, restart, digest, layers } = await pulled();
    await registry.down();
    await restart();
    clock.forward(hour);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 200);
    assert.equal((await get(`/v2/alpine/manifests/${digest}`)).status, 200);
    for (const layer of layers) assert.equal((await get(`/v2/alpine/blobs/${layer}`)).status, 200);
  });

  it('is down for longer than stale_for: is 503', async () => {
    const { registry, clock, get, layers } = await pulled();
    await registry.down();
    clock.forward(25 * hour);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 503);
    assert.equal((await get(`/v2/alpine/blobs/${layers[0]}`)).status, 503);
  });

  for (const what of ['answers 401', 'answers 403', 'answers 404'] as const) {
    it(`${what}: is refused, then and while the upstream is down`, async () => {
      const all = await pulled();
      const status = Number(what.slice(-3));
      const lever = { 401: answer.unauthorized, 403: answer.denied, 404: answer.missing }[status];
      assert.ok(lever);
      all.registry.levers.answers.push(lever(/./));
      all.clock.forward(20 * minute);
      assert.equal((await all.get('/v2/alpine/manifests/3')).status, status);
      assert.equal((await all.get(`/v2/alpine/manifests/${all.digest}`)).status, status);
      assert.equal((await all.get(`/v2/alpine/blobs/${all.layers[0]}`)).status, status);
      await all.registry.down();
      all.clock.forward(minute);
      assert.equal((await all.get(`/v2/alpine/blobs/${all.layers[0]}`)).status, 503);
    });
  }
});

describe('an image that is not all here, while its upstream is down', () => {
  it('is 503 at the manifest, by tag and by digest, HEAD and GET', async () => {
    const { registry, clock, get, head, store, digest, layers } = await pulled();
    await store.blobs.delete(layers[1] as never);
    await registry.down();
    clock.forward(20 * minute);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 503);
    assert.equal((await head('/v2/alpine/manifests/3')).status, 503);
    assert.equal((await get(`/v2/alpine/manifests/${digest}`)).status, 503);
  });

  it('is 503 at the manifest even while the tag is fresh', async () => {
    const { registry, clock, get, store, digest, layers, restart } = await pulled();
    await store.blobs.delete(layers[1] as never);
    await registry.down();
    await restart();
    clock.forward(30 * second);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 503);
    assert.equal((await get(`/v2/alpine/manifests/${digest}`)).status, 503);
  });

  it('is 429, with Retry-After, if that is what the upstream says', async () => {
    const { registry, clock, get, store, layers } = await pulled();
    await store.blobs.delete(layers[1] as never);
    registry.levers.answers.push(answer.tooMany(/./, '120'));
    clock.forward(20 * minute);
    const told = await get('/v2/alpine/manifests/3');
    assert.deepEqual([told.status, told.code, told.headers['retry-after']], [429, 'TOOMANYREQUESTS', '120']);
  });
});

describe('an image that was never pulled, while its upstream is down', () => {
  it('is 503', async () => {
    const { registry, get } = await pulled();
    await registry.down();
    assert.equal((await get('/v2/busybox/manifests/1')).status, 503);
    assert.equal((await get('/v2/alpine/manifests/4')).status, 503);
  });
});
