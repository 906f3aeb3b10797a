// A layer whose registry broke for good is continued by the next pull, over everything real: nothing comes twice, nobody gets
// what his registry does not vouch for.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { collect, type World, world } from './world.ts';

const size = 6_000_000;
const broken = 5_000_000;
const bytes = randomBytes(12, size);
const item = image({ layers: [layerOf(bytes)] });
const { digest } = item.blobs.at(-1)!;
const path = `/v2/alpine/blobs/${digest}`;

/** A registry that breaks at 80 %, and a pull that fails for it. */
async function brokenOff(): Promise<World & { sent: () => number }> {
  const all = await world();
  const { registry, start, settled, get } = all;
  registry.hold('library/alpine', item, 'big');
  await get('/v2/alpine/manifests/big');
  let sent = 0;
  const wrote = (more: number) => (sent += more);
  registry.levers.bend = () => ({ breaks: { at: broken, how: 'cut' }, wrote });
  await assert.rejects(collect(await start(path)));
  await settled();
  registry.levers.bend = () => ({ wrote });
  registry.log.length = 0;
  const count = () => {
    const before = sent;
    sent = 0;
    return before;
  };
  count();
  return { ...all, sent: count };
}

for (const [when, happens] of [
  ['at once', async () => {}],
  ['after a restart', (all: World) => all.restart()],
] as const) {
  it(`only what was missing is fetched ${when}`, async () => {
    const all = await brokenOff();
    await happens(all);
    const told = await all.get(path);
    assert.ok(told.body.equals(bytes));
    await all.settled();
    assert.equal(all.sent(), size - broken);
    assert.equal(all.registry.asked(digest, 'GET').length, 1);
    const stored = all.events.findLast((event) => event.kind === 'stored');
    assert.ok(stored?.kind === 'stored' && stored.kept === broken);
    assert.equal((await all.get(path)).headers['cache-status'], 'sampan; hit');
  });
}

it('a client that goes on by itself gets the rest, and the blob is whole', async () => {
  const { get, settled, sent } = await brokenOff();
  const told = await get(path, { range: 'bytes=4500000-' });
  assert.deepEqual([told.status, told.body.equals(bytes.subarray(4_500_000))], [206, true]);
  await settled();
  assert.equal(sent(), size - broken);
  assert.ok((await get(path)).body.equals(bytes));
});

it('a registry that does not have it gets nothing out of it, and takes nothing away', async () => {
  const { registry, get, settled, sent } = await brokenOff();
  registry.hold('library/other', image({ layers: [layerOf(randomBytes(1, 10))] }), 'other');
  await get('/v2/other/manifests/other');
  registry.log.length = 0;
  for (const range of [undefined, 'bytes=0-9']) {
    const told = await get(`/v2/other/blobs/${digest}`, range === undefined ? {} : { range });
    assert.equal(told.code, 'BLOB_UNKNOWN');
  }
  registry.levers.answers.push({ path: /alpine\/blobs/, status: 503 });
  assert.equal(
    (await get(path, { range: 'bytes=0-9' })).status,
    503,
    'nor the one that does, as long as it does not say so',
  );
  registry.levers.answers.length = 0;
  sent();
  assert.ok((await get(path)).body.equals(bytes));
  await settled();
  assert.equal(sent(), size - broken);
});

it('the answer to the question for the rest is the proof for its repository', async () => {
  const { registry, get, settled, store } = await brokenOff();
  registry.hold('library/third', item, 'third');
  await get('/v2/third/manifests/third');
  const told = await get(`/v2/third/blobs/${digest}`);
  assert.ok(told.body.equals(bytes));
  await settled();
  assert.deepEqual(registry.asked(digest, 'HEAD').length, 0);
  const standing = await store.book.standing({ registry: 'docker.io', name: 'library/third' }, digest as never);
  assert.equal(standing?.size, size);
});
