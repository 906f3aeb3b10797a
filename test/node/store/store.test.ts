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
import { incomingIn, litter } from './half.ts';
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
  await litter(opened.dir);
  const before = await incomingIn(opened.dir);
  await assert.rejects(openStore(options), /in use by another sampan process/);
  const program = `import { openStore } from ${JSON.stringify(import.meta.resolve('../../../src/node/store/store.ts'))};
    await openStore({ dir: process.argv[1], limit: undefined, clock: { now: () => 0 }, report: () => undefined });`;
  const other = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, opened.dir]);
  await assert.rejects(other, /in use by another sampan process/);
  assert.deepEqual(await incomingIn(opened.dir), before, 'what the first is writing stays');
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
  const { after } = await changed(t, litter);
  assert.deepEqual(await incomingIn(after.dir), []);
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
      after.events.map(({ kind }) => kind),
      how === 'lost' ? [] : ['trouble', 'recovered'],
    );
    await add(after, 4, 800);
    assert.equal(after.store.usage().bytes, 1000);
    const next = await after.again(1000);
    assert.equal(next.store.usage().bytes, 1000);
  });
}

it('takes nothing in while it does not know how much it has', async (t) => {
  const { after } = await changed(t, (dir) => rm(join(dir, 'book.sqlite')));
  await assert.rejects(add(after, 4), /no room for it/);
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
  await store.settled;
  // A number that SQLite cannot hold: the worker's own way of failing.
  await store.book.judge(nginx, { asOf: 2 ** 70 });
  await store.book.link(nginx, { ...descriptor, size: 2 ** 70 });
  assert.ok(await store.book.standing(nginx, descriptor.digest), 'it is known for now');
  await store.book.link(nginx, { ...descriptor, size: 2 ** 70 });
  const told = () => events.flatMap((event) => (event.kind === 'trouble' ? [[event.doing, event.times]] : []));
  assert.deepEqual(told(), [['writing to it', 1]]);
  clock.time += 3_600_000;
  await store.book.link(nginx, { ...descriptor, size: 2 ** 70 });
  assert.deepEqual(told().at(-1), ['writing to it', 3]);
  const isOver = () => events.some(({ kind }) => kind === 'recovered');
  await store.book.verdict({ ...nginx, name: 'library/other' });
  assert.equal(isOver(), false, 'that it can be read says nothing');
  await store.book.link(nginx, descriptor);
  assert.equal(isOver(), true);
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
  assert.deepEqual(events.at(-1), { kind: 'bad-blob', digest, size: bytes.length, found: 'checking' });
});

function repositoriesIn(dir: string): string[] {
  const book = new Database(join(dir, 'book.sqlite'));
  const rows = book.prepare('SELECT key FROM repository ORDER BY key').all();
  book.close();
  return rows.map((row) => String(row['key']));
}

it('writes down nothing of a repository that was never public', async (t) => {
  const { store, dir } = await openFresh(t);
  await store.book.judge(nginx, undefined);
  await store.book.point(nginx, 'latest', undefined);
  await store.book.disown(nginx, digestOf(someBytes(1)));
  await store.close();
  assert.deepEqual(repositoriesIn(dir), []);
});

it('forgets what is of no use any more, and nothing else, when it is opened', async (t) => {
  const before = await openFresh(t);
  const { book } = before.store;
  const stored = { mediaType: 'a/b', digest: await add(before, 1), size: 100 };
  const gone = { mediaType: 'a/b', digest: digestOf(someBytes(1, 2)), size: 1 };
  const repositories = Array.from({ length: 60 }, (_, index) => ({ registry: 'docker.io', name: `library/${index}` }));
  const old = before.clock.time - 31 * 86_400_000;
  for (const repository of repositories) {
    await book.judge(repository, { asOf: old });
    await book.link(repository, gone);
    await book.point(repository, 'latest', { descriptor: gone, checkedAt: old });
  }
  const recent = before.clock.time - 29 * 86_400_000;
  await book.link(repositories[7]!, stored);
  await book.point(repositories[20]!, 'latest', { descriptor: gone, checkedAt: recent });
  await book.judge(repositories[59]!, { asOf: recent });
  const after = await before.again();
  await after.store.settled;
  const { book: later } = after.store;
  assert.deepEqual(await later.standing(repositories[7]!, stored.digest), stored);
  assert.equal(await later.standing(repositories[7]!, gone.digest), undefined);
  assert.ok(await later.pointer(repositories[20]!, 'latest'));
  assert.equal(await later.verdict(repositories[20]!), undefined);
  assert.ok(await later.verdict(repositories[59]!));
  await after.store.close();
  assert.deepEqual(repositoriesIn(after.dir), ['docker.io/library/20', 'docker.io/library/59', 'docker.io/library/7']);
});

it('tidies up once a day', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { store, dir, clock } = await openFresh(t);
  await store.settled;
  await store.book.judge(nginx, { asOf: clock.time });
  clock.time += 31 * 86_400_000;
  t.mock.timers.tick(86_400_000);
  // What is asked meanwhile is answered between its steps, of which there are three.
  for (let turn = 1; turn <= 5; turn += 1) await store.book.pointer(nginx, `tag-${turn}`);
  await store.close();
  assert.deepEqual(repositoriesIn(dir), []);
});

it('looks through the blobs again when the book has failed, although the stop was clean', async (t) => {
  const before = await openFresh(t);
  const digest = await add(before, 1);
  await before.store.book.judge(nginx, { asOf: 2 ** 70 });
  await before.store.close();
  await rm(pathOf(before.dir, digest));
  const after = await openAt(t, before.dir);
  await after.store.settled;
  assert.equal(after.store.usage().blobs, 0);
});
