// Files of blobs that broke off: what they count for, when they go, and what is swept away beside them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, rmdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { journalOf } from '../../../src/node/store/layout.ts';
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
  assert.deepEqual(
    await incomingIn(dir),
    [journalOf(path), path].map((each) => basename(each)),
  );
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
  assert.ok(left.length === 2 && !left.includes(basename(path)), 'the older one made room for the newer one');
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
    ['writing down what is here of a blob'],
  );
});

describe('what else lies there', () => {
  it('stays, and hinders no start', async (t) => {
    const { dir, path } = await half(t);
    const incoming = join(dir, 'incoming');
    const not = ['lost+found', '.nfs0000', 'x.part', 'y.journal', `${'0'.repeat(64)}.${'0'.repeat(36)}.part`];
    await mkdir(join(incoming, 'lost+found'));
    await mkdir(join(incoming, not.at(-1)!));
    for (const name of not.slice(1, -1)) await writeFile(join(incoming, name), 'x');
    const { events } = await openAt(t, dir);
    const names = [...not, basename(path), basename(journalOf(path))];
    assert.deepEqual([await incomingIn(dir), events], [names.toSorted(), []]);
  });

  it('is no journal and no part if it is a pipe or leads elsewhere', { timeout: 20_000 }, async (t) => {
    const { dir, path } = await half(t);
    await rename(path, join(dir, 'elsewhere'));
    await symlink(join(dir, 'elsewhere'), path);
    const pipe = join(dir, 'incoming', `${'1'.repeat(64)}.${'1'.repeat(36)}.part`);
    await writeFile(pipe, 'half');
    await promisify(execFile)('mkfifo', [journalOf(pipe)]);
    const { store } = await openAt(t, dir);
    assert.deepEqual([await incomingIn(dir), store.usage().reserved], [[], 0]);
    assert.equal((await stat(join(dir, 'elsewhere'))).size, 2 * MiB);
  });

  it('is not followed either if it came while we run', async (t) => {
    const { dir, path } = await half(t);
    const { store } = await openAt(t, dir);
    await rename(path, join(dir, 'elsewhere'));
    await symlink(join(dir, 'elsewhere'), path);
    await store.blobs.fill(digest, [new Fading(bytes).source]).done;
    assert.equal((await stat(join(dir, 'elsewhere'))).size, 2 * MiB);
  });
});

it('is tried again when the disk did not let it go, and makes room then', async (t) => {
  const { dir, path } = await half(t);
  const opened = await openAt(t, dir, 6 * MiB);
  const { store, events } = opened;
  await store.settled;
  // As a disk that is read-only: it cannot be removed.
  await rename(path, `${path}.aside`);
  await mkdir(path);
  const other = randomBytes(5, 5 * MiB);
  const pull = () => store.blobs.fill(digestOf(other), [new Fading(other).source], other.length).done;
  await assert.rejects(pull(), { reason: 'full' });
  assert.deepEqual([store.usage().reserved, events.filter(({ kind }) => kind === 'trouble').length], [2 * MiB, 1]);
  await rmdir(path);
  await rename(`${path}.aside`, path);
  await pull();
  assert.deepEqual([store.usage().reserved, await incomingIn(dir)], [0, []]);
});

it('stays when there is no room because the book was lost and nothing is counted yet', async (t) => {
  const before = await openAt(t, await directory(t), 50 * MiB);
  const whole = someBytes(1000);
  await before.store.blobs.fill(digestOf(whole), [sourceOf(whole)]).done;
  await before.store.close();
  await plant(before.dir, bytes, [[0, 2 * MiB]]);
  await rm(join(before.dir, 'book.sqlite'));
  const obstacle = join(before.dir, 'blobs/sha512');
  await writeFile(obstacle, 'no directory');
  const { store } = await openAt(t, before.dir, 50 * MiB);
  await assert.rejects(store.blobs.fill(digest, [new Fading(bytes).source]).done, { reason: 'full' });
  await rm(obstacle);
  await store.settled;
  const upstream = new Fading(bytes);
  await store.blobs.fill(digest, [upstream.source]).done;
  assert.equal(upstream.sent, 6 * MiB);
});

it('goes, though it is whole, when the limit has become smaller than that', async (t) => {
  const dir = await directory(t);
  await plant(dir, bytes, [[0, bytes.length]]);
  const { store } = await openAt(t, dir, 4 * MiB);
  await assert.rejects(store.blobs.fill(digest, [new Fading(bytes).source]).done, { reason: 'too-large' });
  assert.deepEqual([await incomingIn(dir), store.usage().reserved, store.usage().bytes], [[], 0, 0]);
});

it('is found in the directory that takes the place of ours while we run', async (t) => {
  const { dir } = await half(t);
  const opened = await openAt(t, join(await directory(t), 'data'));
  const { store } = opened;
  await store.settled;
  await rename(opened.dir, `${opened.dir}.old`);
  await rename(dir, opened.dir);
  await litter(opened.dir);
  const whole = someBytes(1000);
  await store.blobs.fill(digestOf(whole), [sourceOf(whole)]).done;
  assert.equal((await incomingIn(opened.dir)).length, 2);
  const upstream = new Fading(bytes);
  await store.blobs.fill(digest, [upstream.source]).done;
  assert.equal(upstream.sent, 6 * MiB);
});
