// What a running store does when its directory is taken away, or its book dies: it begins anew, and goes on.
import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { discard } from '../../../src/core/mirror/reply.ts';
import type { Digest } from '../../../src/core/oci/digest.ts';
import { Database } from '../../../src/node/store/sqlite.ts';
import { openStore } from '../../../src/node/store/store.ts';
import { collect, digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { needMounts, SmallDisk } from '../../lab/small-disk.ts';
import { directory, openAt, openFresh, type Opened, until } from './opening.ts';

const nginx = { registry: 'docker.io', name: 'library/nginx' };

async function add({ store }: Opened, seed: number, size = 1000): Promise<Digest> {
  const bytes = someBytes(size, seed);
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes)], size).done;
  return digestOf(bytes);
}

/** Nothing is written to it any more but what the test asks for. */
async function openSettled(t: TestContext): Promise<Opened> {
  const opened = await openFresh(t);
  await opened.store.settled;
  return opened;
}

const kinds = ({ events }: Opened) =>
  events.map((event) => (event.kind === 'trouble' ? `trouble: ${event.doing}` : event.kind));

describe('a data directory that is deleted under a running store', () => {
  it('is made anew by the next fill, and a restart finds all that came since', async (t) => {
    const opened = await openSettled(t);
    const { dir, store } = opened;
    const lost = await add(opened, 1);
    const content = await store.blobs.open(lost);
    await rm(dir, { recursive: true });

    const digest = await add(opened, 2);
    assert.ok((await collect(content!)).equals(someBytes(1000, 1)), 'who reads what is gone may do so to the end');
    await until(async () => (await readdir(dir)).includes('book.sqlite'));
    await until(() => store.usage().bytes === 1000);
    assert.deepEqual([store.usage().bytes, store.usage().blobs], [1000, 1]);
    assert.equal(await store.blobs.open(lost), undefined);
    const options = { dir, limit: undefined, clock: opened.clock, report: () => undefined };
    await assert.rejects(openStore(options), /in use by another sampan process/);
    const verdict = { asOf: opened.clock.time };
    await store.book.judge(nginx, verdict);

    const after = await opened.again();
    assert.deepEqual([after.store.usage().bytes, after.store.usage().blobs], [1000, 1]);
    assert.deepEqual(await after.store.book.verdict(nginx), verdict);
    assert.ok((await collect((await after.store.blobs.open(digest))!)).equals(someBytes(1000, 2)));
  });

  it('is made anew once, however many fills begin at once', async (t) => {
    const opened = await openSettled(t);
    await rm(opened.dir, { recursive: true });
    await Promise.all([1, 2, 3, 4].map((seed) => add(opened, seed)));
    await until(() => kinds(opened).includes('recovered') && opened.store.usage().blobs === 4);
    await opened.store.settled;
    assert.deepEqual([opened.store.usage().bytes, opened.store.usage().blobs], [4000, 4]);
    await opened.store.close();
  });

  it('is not taken from another process that has it by then', async (t) => {
    const opened = await openSettled(t);
    await rm(opened.dir, { recursive: true });
    const other = await openAt(t, opened.dir);
    await assert.rejects(add(opened, 1), /the store does not work/);
    assert.deepEqual(kinds(opened).slice(0, 1), ['trouble: making the data directory ready']);
    await other.store.close();
    await add(opened, 1);
    assert.ok(kinds(opened).includes('recovered'));
    await opened.store.close();
  });

  it('may have lost only the place for what is on its way in', async (t) => {
    const opened = await openSettled(t);
    await add(opened, 1);
    await rm(join(opened.dir, 'incoming'), { recursive: true });
    await rm(join(opened.dir, 'blobs'), { recursive: true });
    const digest = await add(opened, 2);
    assert.equal(await opened.store.blobs.stat(digest), 1000);
    assert.deepEqual(kinds(opened), ['stored', 'stored']);
  });

  it('hinders no close', async (t) => {
    const opened = await openSettled(t);
    await add(opened, 1);
    await rm(opened.dir, { recursive: true });
    await opened.store.close();
  });
});

/** A book larger than what SQLite keeps of it in memory, with three blobs in its ledger. */
async function openLarge(t: TestContext, dir: string, limit?: number): Promise<Opened> {
  const before = await openAt(t, dir);
  for (const seed of [1, 2, 3]) await add(before, seed);
  await before.store.close();
  const book = new Database(join(dir, 'book.sqlite'));
  book.exec(`INSERT INTO repository VALUES (1, 'docker.io/library/nginx');
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
    INSERT INTO pointer SELECT 1, 'tag' || i, 'sha256:' || printf('%064d', i), 'a/b', 1, ${before.clock.time} FROM n`);
  book.close();
  const opened = await openAt(t, dir, limit);
  await opened.store.settled;
  return opened;
}

/** Writes nonsense over all but the first page. */
function spoil(path: string): void {
  const file = openSync(path, 'r+');
  const { size } = fstatSync(file);
  for (let at = 4096; at < size; at += 4096) writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at);
  closeSync(file);
}

const spoilt = {
  'is overwritten': async (path: string) => spoil(path),
  'is cut short': (path: string) => truncate(path, 8192),
};
for (const [how, harm] of Object.entries(spoilt)) {
  describe(`a book that ${how} while it is open`, () => {
    it('is put aside and begun anew, and the ledger is built again', async (t) => {
      const opened = await openLarge(t, await directory(t), 10_000);
      const { store, dir } = opened;
      await harm(join(dir, 'book.sqlite'));
      for (let tag = 1; tag < 60_000; tag += 1000) await store.book.pointer(nginx, `tag${tag}`);
      await until(async () => (await readdir(dir)).some((name) => name.startsWith('book.sqlite.bad-')));
      await store.book.judge(nginx, { asOf: opened.clock.time });
      await until(() => kinds(opened).includes('recovered'));
      await store.settled;
      assert.deepEqual(
        kinds(opened).map((kind) => kind.split(':')[0]),
        ['trouble', 'recovered'],
      );
      assert.deepEqual([store.usage().bytes, store.usage().blobs], [3000, 3]);
      // Only who knows what is there can make room.
      await add(opened, 4, 9000);
      assert.deepEqual([store.usage().bytes, store.usage().blobs], [10_000, 2]);
      const after = await opened.again(10_000);
      await after.store.settled;
      assert.equal(after.store.usage().bytes, 10_000);
    });
  });
}

describe('on a disk that becomes read-only and writable again', { skip: needMounts() }, () => {
  async function openDying(t: TestContext): Promise<{ opened: Opened; disk: SmallDisk }> {
    const disk = await SmallDisk.mount(32 << 20);
    t.after(() => disk.unmount());
    const opened = await openLarge(t, disk.data);
    spoil(join(disk.data, 'book.sqlite'));
    disk.makeReadOnly();
    for (let tag = 1; tag < 60_000; tag += 1000) await opened.store.book.pointer(nginx, `tag${tag}`);
    await until(() => kinds(opened).includes('trouble: opening it again'));
    return { opened, disk };
  }

  it('a book that died meanwhile is begun anew', async (t) => {
    const { opened, disk } = await openDying(t);
    const { store } = opened;
    const content = await store.blobs.open(digestOf(someBytes(1000, 1)));
    assert.ok(content, 'what is there is there, and is counted also while somebody reads it');
    disk.makeWritable();
    await until(() => store.usage().blobs === 3 && kinds(opened).includes('recovered'));
    await store.settled;
    assert.deepEqual([store.usage().bytes, store.usage().blobs], [3000, 3]);
    await discard(content.body);
    await store.close();
  });

  it('a book that cannot be opened again hinders no close', async (t) => {
    const { opened } = await openDying(t);
    await opened.store.close();
  });

  it('storing goes on, and so does the book', async (t) => {
    const disk = await SmallDisk.mount(16 << 20);
    t.after(() => disk.unmount());
    const opened = await openAt(t, disk.data);
    const { store } = opened;
    await store.book.judge(nginx, { asOf: 1 });
    const digest = await add(opened, 1);
    disk.makeReadOnly();
    await assert.rejects(add(opened, 2), /the store does not work/);
    assert.ok((await collect((await store.blobs.open(digest))!)).equals(someBytes(1000, 1)));
    disk.makeWritable();
    await add(opened, 2);
    await until(() => kinds(opened).at(-1) === 'recovered');
    assert.deepEqual(kinds(opened).at(-1), 'recovered');
    assert.deepEqual([store.usage().bytes, store.usage().blobs], [2000, 2]);
  });
});
