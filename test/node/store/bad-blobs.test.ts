// What the disk spoils: it is never sent whole, is put aside within bounds, and can be fetched again.
import assert from 'node:assert/strict';
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { HeldFile } from '../../../src/core/mirror/reply.ts';
import { type Digest, hexOf } from '../../../src/core/oci/digest.ts';
import { collect, digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { needMounts, SmallDisk } from '../../lab/small-disk.ts';
import { openAt, openFresh, type Opened, until } from './opening.ts';

const day = 86_400_000;

async function add({ store }: Opened, seed = 1, size = 200_000): Promise<Digest> {
  const bytes = someBytes(size, seed);
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes)], size).done;
  return digestOf(bytes);
}

function pathOf(dir: string, digest: Digest): string {
  return join(dir, 'blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest));
}

async function flip(dir: string, digest: Digest, seed = 1, size = 200_000): Promise<void> {
  const bytes = someBytes(size, seed);
  bytes[size - 10] = (bytes[size - 10] ?? 0) ^ 1;
  await writeFile(pathOf(dir, digest), bytes);
}

async function held({ store }: Opened, digest: Digest): Promise<HeldFile> {
  const content = await store.blobs.open(digest);
  assert.ok(content?.body.kind === 'file');
  return content.body.file;
}

const quarantined = (dir: string) => readdir(join(dir, 'quarantine')).catch(() => []);
const found = ({ events }: Opened) => events.flatMap((event) => (event.kind === 'bad-blob' ? [event.found] : []));

async function spoiled(t: TestContext, length: number): Promise<[Opened, Digest]> {
  const before = await openFresh(t);
  const digest = await add(before);
  await until(() => before.store.usage().blobs === 1);
  const opened = await before.again();
  await truncate(pathOf(opened.dir, digest), length);
  return [opened, digest];
}

for (const length of [0, 199_999]) {
  it(`does not open a blob that was cut to ${length} bytes, although nobody told its size`, async (t) => {
    const [opened, digest] = await spoiled(t, length);
    assert.equal(await opened.store.blobs.open(digest), undefined);
    assert.deepEqual(found(opened), ['opening']);
    assert.equal((await quarantined(opened.dir)).length, 1);
    assert.equal(opened.store.usage().blobs, 0);
    await add(opened);
    assert.ok((await collect((await opened.store.blobs.open(digest))!)).equals(someBytes(200_000)));
  });
}

it('does not tell that a blob of no bytes is here, unless it is the blob of no bytes', async (t) => {
  const [{ store }, digest] = await spoiled(t, 0);
  assert.equal(await store.blobs.stat(digest), undefined);
  const nothing = digestOf(Buffer.of());
  await store.blobs.fill(nothing, [sourceOf(Buffer.of())], 0).done;
  assert.equal(await store.blobs.stat(nothing), 0);
  assert.ok(await store.blobs.open(nothing));
});

it('reads no manifest that became shorter while it was open, and has it looked at', async (t) => {
  const opened = await openFresh(t);
  const digest = await add(opened);
  const reader = await held(opened, digest);
  await truncate(pathOf(opened.dir, digest), 10);
  await assert.rejects(opened.store.blobs.read(digest, 1e6));
  await until(() => found(opened).length > 0);
  assert.deepEqual(found(opened), ['reading']);
  assert.equal(reader.bad, true);
  reader.close();
});

it('cuts off who reads it, keeps it for a look, and brings in another', async (t) => {
  const opened = await openFresh(t, 100e6);
  const digest = await add(opened);
  const reader = await held(opened, digest);
  await flip(opened.dir, digest);
  reader.suspect?.();
  reader.suspect?.();
  await until(() => opened.store.usage().blobs === 0);
  assert.deepEqual(found(opened), ['sending']);
  assert.equal(reader.bad, true);
  assert.deepEqual(await quarantined(opened.dir), [`sha256-${hexOf(digest)}-${opened.clock.time}`]);
  reader.close();
  await until(() => opened.store.usage().bytes === 200_000);
  assert.equal(opened.store.usage().bytes, 200_000, 'what is in quarantine counts');

  await add(opened);
  const another = await held(opened, digest);
  assert.equal(another.bad, false);
  another.close();
  assert.equal(await opened.store.blobs.check(digest), true);
});

it('leaves alone what is good, whoever suspects it', async (t) => {
  const opened = await openFresh(t);
  const digest = await add(opened);
  const reader = await held(opened, digest);
  reader.suspect?.();
  assert.equal(await opened.store.blobs.check(digest), true);
  assert.equal(reader.bad, false);
  reader.close();
});

it('does not put aside the good blob that has taken the place of a bad one', async (t) => {
  const opened = await openFresh(t);
  const digest = await add(opened);
  const reader = await held(opened, digest);
  await flip(opened.dir, digest);
  await Promise.all([opened.store.blobs.check(digest), add(opened)]);
  reader.close();
  if ((await opened.store.blobs.stat(digest)) === undefined) await add(opened);
  assert.equal(await opened.store.blobs.check(digest), true);
});

it('keeps three of them for a week', async (t) => {
  const opened = await openFresh(t);
  for (const seed of [1, 2, 3, 4]) {
    const digest = await add(opened, seed);
    await flip(opened.dir, digest, seed);
    opened.clock.time += 1;
    await opened.store.blobs.check(digest);
  }
  const names = Array.from({ length: 3 }, (_, index) => hexOf(digestOf(someBytes(200_000, index + 2))));
  assert.deepEqual(new Set((await quarantined(opened.dir)).map((name) => name.split('-')[1])), new Set(names));
  await writeFile(join(opened.dir, 'quarantine/note'), 'not ours');
  const after = await opened.again();
  assert.equal(after.store.usage().bytes, 600_000);
  await after.store.close();
  t.mock.timers.enable({ apis: ['setInterval'] });
  const later = await openAt(t, opened.dir);
  later.clock.time += 8 * day;
  t.mock.timers.tick(day);
  await until(() => later.store.usage().bytes === 0);
  assert.deepEqual(await quarantined(opened.dir), ['note']);
});

it('keeps none that is more than a hundredth of the limit', async (t) => {
  const opened = await openFresh(t, 1_000_000);
  const digest = await add(opened);
  await flip(opened.dir, digest);
  assert.equal(await opened.store.blobs.check(digest), false);
  await until(() => opened.store.usage().bytes === 0);
  assert.deepEqual(await quarantined(opened.dir), []);
  assert.equal(opened.store.usage().bytes, 0);
});

it('is not put aside by a store that has been closed meanwhile', async (t) => {
  const opened = await openFresh(t, 100e6);
  const digest = await add(opened);
  const reader = await held(opened, digest);
  await flip(opened.dir, digest);
  reader.suspect?.();
  await opened.store.close();
  reader.suspect?.();
  reader.close();
  assert.equal(await opened.store.blobs.check(digest), false);
  assert.deepEqual([await quarantined(opened.dir), found(opened)], [[], []]);
  assert.equal(opened.events.filter(({ kind }) => kind === 'trouble').length, 0);
});

describe('on a disk that has become read-only', { skip: needMounts() }, () => {
  it('does not hand out what it knows to be bad and cannot take away', async (t) => {
    const disk = await SmallDisk.mount(16 << 20);
    t.after(() => disk.unmount());
    await mkdir(disk.data);
    const opened = await openAt(t, disk.data);
    const digest = await add(opened);
    await flip(opened.dir, digest);
    disk.makeReadOnly();
    assert.equal(await opened.store.blobs.check(digest), false);
    assert.equal(await opened.store.blobs.open(digest), undefined);
    assert.equal(await opened.store.blobs.stat(digest), undefined);
    disk.makeWritable();
    await add(opened);
    assert.ok((await collect((await opened.store.blobs.open(digest))!)).equals(someBytes(200_000)));
  });
});
