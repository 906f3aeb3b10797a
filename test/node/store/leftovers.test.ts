// Files of blobs that broke off: what they count for, when they go, and what is swept away beside them.
import assert from 'node:assert/strict';
import { mkdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { Fading, incomingIn, litter, MiB, plant } from './half.ts';
import { directory, openAt } from './opening.ts';
import { Taps } from './taps.ts';

const bytes = randomBytes(3, 8 * MiB);
const digest = digestOf(bytes);
const day = 86_400_000;

async function half(t: TestContext) {
  const dir = await directory(t);
  const path = await plant(dir, bytes, [[0, 2 * MiB]]);
  return { dir, path };
}

it('keeps at the start what can be continued, counts what it takes, and sweeps the rest away', async (t) => {
  const { dir, path } = await half(t);
  await litter(dir);
  const { store } = await openAt(t, dir);
  assert.deepEqual(await incomingIn(dir), ['before.journal', 'before.part']);
  assert.equal(store.usage().reserved, (await stat(path)).blocks * 512);
});

it('keeps nothing of what is soon fetched again', async (t) => {
  const dir = await directory(t);
  await plant(dir, bytes, [[0, 1000]]);
  await openAt(t, dir);
  assert.deepEqual(await incomingIn(dir), []);
  const opened = await openAt(t, await directory(t));
  const small = bytes.subarray(0, 3 * MiB);
  await assert.rejects(opened.store.blobs.fill(digestOf(small), [new Fading(small, 2 * MiB).source]).done);
  assert.deepEqual(await incomingIn(opened.dir), []);
});

it('sends them away before any blob when room is short, the oldest first', async (t) => {
  const { dir, path } = await half(t);
  const limit = 6 * MiB;
  const opened = await openAt(t, dir, limit);
  const { store, events } = opened;
  const whole = someBytes(100_000);
  await store.blobs.fill(digestOf(whole), [sourceOf(whole)]).done;
  const other = randomBytes(5, 4 * MiB);
  await utimes(path, 1, 1);
  await assert.rejects(store.blobs.fill(digestOf(other), [new Fading(other, 3 * MiB).source]).done);
  const left = await incomingIn(dir);
  assert.ok(left.length === 2 && !left.includes('before.part'), 'the older one made room for the newer one');
  const third = randomBytes(6, 5 * MiB);
  await store.blobs.fill(digestOf(third), [new Fading(third).source]).done;
  assert.deepEqual(await incomingIn(dir), []);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'evicted'),
    [],
  );
  assert.equal(store.usage().reserved, 0);
});

it('gives its room to whoever goes on with it, and no more', async (t) => {
  const { dir } = await half(t);
  const { store } = await openAt(t, dir, bytes.length);
  const upstream = new Fading(bytes);
  await store.blobs.fill(digest, [upstream.source]).done;
  assert.equal(upstream.sent, 6 * MiB);
  assert.deepEqual(store.usage(), { bytes: bytes.length, reserved: 0, blobs: 1, limit: bytes.length });
});

it('goes when the limit has become smaller than the blob', async (t) => {
  const { dir } = await half(t);
  const { store } = await openAt(t, dir, 4 * MiB);
  await assert.rejects(store.blobs.fill(digest, [new Fading(bytes).source]).done, { reason: 'too-large' });
  assert.deepEqual([await incomingIn(dir), store.usage().reserved], [[], 0]);
});

it('goes after a week in which nobody came', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { dir, path } = await half(t);
  const { store, clock } = await openAt(t, dir);
  await store.settled;
  const left = (await stat(path)).mtimeMs;
  clock.time = left + 7 * day - 1;
  t.mock.timers.tick(day);
  await store.book.pointer({ registry: 'docker.io', name: 'library/nginx' }, 'latest');
  assert.equal((await incomingIn(dir)).length, 2);
  clock.time = left + 7 * day + 1;
  t.mock.timers.tick(day);
  while (store.usage().reserved > 0) await stat(dir);
  assert.deepEqual(await incomingIn(dir), []);
});

it('costs no pull when it is taken away by somebody else', async (t) => {
  const { dir, path } = await half(t);
  const { store } = await openAt(t, dir);
  await rm(path);
  await store.blobs.fill(digest, [new Fading(bytes).source]).done;
  assert.equal(store.usage().reserved, 0);
});

it('is not kept when the journal cannot be written, which is told once and costs no pull', async (t) => {
  const { store, dir, events } = await openAt(t, await directory(t));
  const taps = new Taps(bytes);
  const fill = store.blobs.fill(digest, [taps.source]);
  await taps.tap(0);
  const [name = ''] = await incomingIn(dir);
  await mkdir(join(dir, 'incoming', name.replace('.part', '.journal')));
  taps.open();
  await fill.done;
  assert.deepEqual(
    events.flatMap((event) => (event.kind === 'trouble' ? [event.doing] : [])),
    ['write down what is here of a blob'],
  );
});
