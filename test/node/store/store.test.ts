// Opening and closing the data directory: who may have it, what a crash or a lost book leaves, and a book that fails.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type Digest, hexOf } from '../../../src/core/oci/digest.ts';
import { Database } from '../../../src/node/store/sqlite.ts';
import { openStore } from '../../../src/node/store/store.ts';
import { collect, digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { directory, openAt, openFresh, type Opened, StillClock, until } from './opening.ts';

const nginx = { registry: 'docker.io', name: 'library/nginx' };

async function add({ store }: Opened, seed: number, size = 100): Promise<Digest> {
  const bytes = someBytes(size, seed);
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes)], size).done;
  return digestOf(bytes);
}

function pathOf(dir: string, digest: Digest): string {
  return join(dir, 'blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest));
}

/** A store with three blobs that was closed, changed behind its back, and opened again. */
async function changed(
  t: TestContext,
  change: (dir: string, digests: readonly Digest[]) => Promise<void>,
  limit = 1000,
) {
  const before = await openFresh(t, limit);
  const digests = [await add(before, 1), await add(before, 2), await add(before, 3)];
  await before.store.close();
  await change(before.dir, digests);
  return { digests, after: await openAt(t, before.dir, limit) };
}

it('refuses a second store in the same directory, and leaves the first alone', async (t) => {
  const opened = await openFresh(t);
  const options = { dir: opened.dir, limit: undefined, clock: new StillClock(), report: () => undefined };
  await writeFile(join(opened.dir, 'incoming/x.part'), 'x');
  await assert.rejects(openStore(options), /in use by another sampan process/);
  const program = `import { openStore } from ${JSON.stringify(import.meta.resolve('../../../src/node/store/store.ts'))};
    await openStore({ dir: process.argv[1], limit: undefined, clock: { now: () => 0 }, report: () => undefined });`;
  const other = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, opened.dir]);
  await assert.rejects(other, /in use by another sampan process/);
  assert.deepEqual(await readdir(join(opened.dir, 'incoming')), ['x.part'], 'what the first is writing stays');
  await add(opened, 1);
  await (await opened.again()).store.close();
});

it('keeps everything to its owner, and says what format it is in', async (t) => {
  const opened = await openFresh(t);
  const digest = await add(opened, 1);
  const mode = async (path: string) => ((await stat(path)).mode & 0o077).toString(8);
  assert.equal(await mode(pathOf(opened.dir, digest)), '0');
  assert.equal(await mode(join(opened.dir, 'blobs')), '0');
  assert.equal(await mode(join(opened.dir, 'book.sqlite')), '0');
  assert.equal(await readFile(join(opened.dir, 'format'), 'utf8'), 'sampan 1\n');
});

it('does not touch a directory in a format that it does not know', async (t) => {
  const dir = await directory(t);
  await writeFile(join(dir, 'format'), 'sampan 2\n');
  await mkdir(join(dir, 'incoming'));
  await writeFile(join(dir, 'incoming/x'), '');
  await assert.rejects(openAt(t, dir), /another format/);
  assert.deepEqual(await readdir(join(dir, 'incoming')), ['x']);
});

it('empties what was on its way in when it starts', async (t) => {
  const { after } = await changed(t, (dir) => writeFile(join(dir, 'incoming/x.part'), 'half'));
  assert.deepEqual(await readdir(join(after.dir, 'incoming')), []);
});

it('has all of it after a clean stop, without looking through the blobs', async (t) => {
  const { digests, after } = await changed(t, (dir, [first]) => rm(pathOf(dir, first!)));
  await after.store.settled;
  assert.equal(after.store.usage().bytes, 300, 'the missing one was not missed');
  const content = await after.store.blobs.open(digests[1]!);
  assert.ok((await collect(content!)).equals(someBytes(100, 2)));
});

it('corrects the ledger when it notices that a file is gone', async (t) => {
  const { digests, after } = await changed(t, (dir, [first]) => rm(pathOf(dir, first!)));
  assert.equal(await after.store.blobs.open(digests[0]!), undefined);
  await until(() => after.store.usage().blobs === 2);
  assert.deepEqual([after.store.usage().bytes, after.store.usage().blobs], [200, 2]);
});

const losses = {
  lost: (path: string) => rm(path),
  corrupt: (path: string) => writeFile(path, 'this is no database, '.repeat(500)),
  'of another kind': async (path: string) => {
    await rm(path);
    const other = new Database(path);
    other.exec('CREATE TABLE blob (x); PRAGMA user_version = 7');
    other.close();
  },
};

for (const [how, lose] of Object.entries(losses)) {
  it(`builds the ledger again from the blobs when the book is ${how}`, async (t) => {
    const { digests, after } = await changed(t, async (dir) => {
      await lose(join(dir, 'book.sqlite'));
      await writeFile(join(dir, 'blobs/sha256/README'), 'not a blob');
    });
    assert.equal(await after.store.blobs.stat(digests[0]!), 100);
    await after.store.settled;
    assert.deepEqual(after.store.usage(), { bytes: 300, reserved: 0, blobs: 3, limit: 1000 });
    const put = (await readdir(after.dir)).filter((name) => name.startsWith('book.sqlite.bad-'));
    assert.equal(put.length, how === 'lost' ? 0 : 1);
    assert.deepEqual(
      after.events.map((event) => event.kind === 'trouble' && event.where),
      how === 'lost' ? [] : ['book'],
    );
    await add(after, 4, 800);
    assert.equal(after.store.usage().bytes, 1000);
    const next = await after.again(1000);
    assert.equal(next.store.usage().bytes, 1000);
  });
}

it('takes nothing in while it does not know how much it has', async (t) => {
  const { after } = await changed(t, (dir) => rm(join(dir, 'book.sqlite')));
  await assert.rejects(add(after, 4), /no room in the store: full/);
  await after.store.settled;
  await add(after, 4);
});

it('looks through the blobs after a stop that was not clean, and finds what came and went', async (t) => {
  const { digests, after } = await changed(t, async (dir, [first]) => {
    const book = new Database(join(dir, 'book.sqlite'));
    book.exec('UPDATE stop SET clean = 0');
    book.close();
    await rm(pathOf(dir, first!));
    const extra = someBytes(77, 9);
    await mkdir(join(pathOf(dir, digestOf(extra)), '..'), { recursive: true });
    await writeFile(pathOf(dir, digestOf(extra)), extra);
  });
  await after.store.settled;
  assert.deepEqual([after.store.usage().bytes, after.store.usage().blobs], [277, 3]);
  assert.equal(await after.store.blobs.open(digests[0]!), undefined);
});

it('takes away what became shorter while nobody looked', async (t) => {
  const { digests, after } = await changed(t, async (dir, [first]) => {
    const book = new Database(join(dir, 'book.sqlite'));
    book.exec('UPDATE stop SET clean = 0');
    book.close();
    await truncate(pathOf(dir, first!), 50);
  });
  await after.store.settled;
  assert.equal(await after.store.blobs.stat(digests[0]!), undefined);
  assert.deepEqual([after.store.usage().bytes, after.store.usage().blobs], [200, 2]);
});

it('goes on without a book that fails, and says so, but not every time', async (t) => {
  const opened = await openFresh(t, 1000);
  const { store, clock, events } = opened;
  const descriptor = { mediaType: 'a/b', digest: digestOf(someBytes(1)), size: 1 };
  // A number that SQLite cannot hold: the worker's own way of failing.
  await store.book.judge(nginx, { asOf: 2 ** 70 });
  await store.book.link(nginx, { ...descriptor, size: 2 ** 70 });
  assert.equal(await store.book.standing(nginx, descriptor.digest), undefined);
  assert.deepEqual(
    events.map((event) => event.kind === 'trouble' && event.where),
    ['book'],
  );
  clock.time += 3_600_000;
  await store.book.link(nginx, { ...descriptor, size: 2 ** 70 });
  assert.equal(events.length, 2);
  await store.book.link(nginx, descriptor);
  assert.ok(await store.book.standing(nginx, descriptor.digest), 'the others are not harmed');
  await add(opened, 1);
});

it('harms no other request when one of a batch fails', async (t) => {
  const { store } = await openFresh(t);
  const descriptor = { mediaType: 'a/b', digest: digestOf(someBytes(1)), size: 1 };
  await Promise.all([
    store.book.link(nginx, descriptor),
    store.book.judge(nginx, { asOf: 2 ** 70 }),
    store.book.point(nginx, 'latest', { descriptor, checkedAt: 1 }),
  ]);
  assert.ok(await store.book.standing(nginx, descriptor.digest));
});

it('deletes what turned bad at rest when it is asked to look', async (t) => {
  const { store, dir, events } = await openFresh(t);
  const bytes = someBytes(3_000_000);
  const digest = digestOf(bytes);
  await store.blobs.fill(digest, [sourceOf(bytes)], bytes.length).done;
  bytes[2_000_000] = (bytes[2_000_000] ?? 0) ^ 1;
  await writeFile(pathOf(dir, digest), bytes);
  assert.equal(await store.blobs.check(digest), false);
  assert.equal(await store.blobs.stat(digest), undefined);
  assert.equal(events.filter((event) => event.kind === 'trouble').length, 1);
});
