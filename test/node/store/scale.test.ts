// What must not grow with the store: every question goes by an index, and no turn of anybody takes more than so many rows or files.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Digest, parseDigest } from '../../../src/core/oci/digest.ts';
import { BookTables } from '../../../src/node/store/book-tables.ts';
import { BookThread, type Request } from '../../../src/node/store/book-thread.ts';
import { Ledger } from '../../../src/node/store/ledger.ts';
import { Shelf } from '../../../src/node/store/shelf.ts';
import { Database, type Statement } from '../../../src/node/store/sqlite.ts';
import { tidy } from '../../../src/node/store/tidy.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { directory, openFresh, StillClock } from './opening.ts';

const mediaType = 'application/octet-stream';
const silent = (): void => undefined;

/** All in one shard. */
function digests(count: number): Digest[] {
  return Array.from({ length: count }, (_, index) => parseDigest(`sha256:ab${index.toString(16).padStart(62, '0')}`));
}

class Watched extends BookTables {
  /** Not a field: the constructor of what it extends prepares statements already. */
  declare statements: Set<string> | undefined;

  protected override prepare(sql: string): Statement {
    (this.statements ??= new Set()).add(sql);
    return super.prepare(sql);
  }
}

it('asks the book nothing that is answered by looking through a table', async (t) => {
  const path = join(await directory(t), 'book.sqlite');
  const book = new Watched(path);
  const [digest] = digests(1) as [Digest];
  const descriptor = { mediaType, digest, size: 1 };
  book.put({ digest, size: 1, usedAt: 1, checkedAt: 1 });
  book.oldest(undefined, 1);
  book.leastChecked(0);
  book.checked(digest, 2);
  book.beginning('sha256:ab', 'sha256:ab', 1);
  book.touch(new Map([[digest, 2]]));
  book.point('a', 'latest', { descriptor, checkedAt: 1 });
  book.pointer('a', 'latest');
  book.point('a', 'latest', undefined);
  book.link('a', descriptor);
  book.standing('a', digest);
  book.disown('a', digest);
  book.judge('a', { asOf: 1 });
  book.verdict('a');
  book.judge('a', undefined);
  book.tidyStandings({ repository: 0, key: '' }, 1);
  book.tidyPointers({ repository: 0, key: '' }, 1, 1);
  book.tidyRepositories(0, 1, 1);
  book.drop(digest);
  const statements = [...(book.statements ?? [])];
  book.close(true);
  const sql = new Database(path);
  t.after(() => sql.close());
  const plans = statements
    .filter((statement) => !statement.startsWith('PRAGMA'))
    .flatMap((statement) =>
      sql
        .prepare(`EXPLAIN QUERY PLAN ${statement}`)
        .all()
        .map(({ detail }) => `${String(detail)}: ${statement}`),
    );
  assert.ok(plans.length > 20);
  // Of these there is one row.
  const slow = plans.filter((plan) => /^SCAN(?! (?:total|stop|CONSTANT ROW))|TEMP B-TREE|AUTOMATIC/.test(plan));
  assert.deepEqual(slow, []);
});

async function openThread(t: TestContext): Promise<{ thread: BookThread; requests: Request[][] }> {
  const thread = await BookThread.open(join(await directory(t), 'book.sqlite'), new StillClock(), silent);
  t.after(() => thread.close(false));
  const requests: Request[][] = [];
  const { postMessage } = Worker.prototype;
  t.mock.method(Worker.prototype, 'postMessage', function record(this: Worker, ...values: [Request[]]) {
    requests.push(values[0]);
    postMessage.apply(this, values);
  });
  return { thread, requests };
}

it('lets nobody wait for more than 500 requests, or 100 uses, of others', async (t) => {
  const { thread, requests } = await openThread(t);
  const ledger = new Ledger(thread, new StillClock());
  const all = digests(1200);
  for (const digest of all) ledger.touch(digest);
  await Promise.all([ledger.flush(), ...all.map((digest) => thread.ask('sizeOf', digest))]);
  const touched = requests.flat().filter(({ method }) => method === 'touch');
  const uses = touched.map(({ parameters: [used] }) => (used as ReadonlyMap<Digest, number>).size);
  assert.ok(requests.every((batch) => batch.length <= 500));
  assert.deepEqual(
    uses,
    Array.from({ length: 12 }, () => 100),
  );
});

it('knows of all uses before it says which blobs were not used for the longest, also of those that are still being written', async (t) => {
  const { thread } = await openThread(t);
  const clock = new StillClock();
  const ledger = new Ledger(thread, clock);
  const all = digests(301);
  for (const digest of all) await ledger.put(digest, 1);
  clock.time += 1;
  for (const digest of all.slice(0, 300)) ledger.touch(digest);
  void ledger.flush();
  const [oldest] = await ledger.oldest(undefined, 1);
  assert.equal(oldest?.digest, all[300]);
});

it('tells the sizes of a shard 500 at a time, and leaves none out', async (t) => {
  const { thread, requests } = await openThread(t);
  const ledger = new Ledger(thread, new StillClock());
  const all = digests(1200);
  await Promise.all(all.map((digest) => ledger.put(digest, 1)));
  const sizes = await ledger.beginning('sha256:ab');
  assert.deepEqual([...(sizes?.keys() ?? [])], all);
  assert.equal((await ledger.beginning('sha256:ac'))?.size, 0);
  const asked = requests.flat().filter(({ method }) => method === 'beginning');
  assert.deepEqual(
    asked.map(({ parameters }) => parameters[2]),
    [500, 500, 500, 500],
  );
});

it('forgets what is of no use a bounded number of rows at a time, however many a single repository has', async (t) => {
  const book = new BookTables(join(await directory(t), 'book.sqlite'));
  t.after(() => book.close(true));
  const all = digests(7);
  for (const [index, digest] of all.entries()) {
    const descriptor = { mediaType, digest, size: 1 };
    book.link('a', descriptor);
    book.point('a', `tag-${index}`, { descriptor, checkedAt: 1 });
  }
  const start = { repository: 0, key: '' };
  const third = book.tidyStandings(start, 3);
  assert.deepEqual({ ...third }, { repository: 1, key: all[2] });
  assert.deepEqual(
    all.map((digest) => book.standing('a', digest) !== undefined),
    [false, false, false, true, true, true, true],
  );
  assert.equal(book.tidyPointers(start, 3, 2)?.key, 'tag-2');
  assert.deepEqual([book.pointer('a', 'tag-2'), book.pointer('a', 'tag-3')?.checkedAt], [undefined, 1]);
  assert.equal(book.tidyStandings(third!, 5), undefined);
  assert.equal(book.standing('a', all[6]!), undefined);
});

it('forgets all that is of no use, and nothing else, in however many goes', async (t) => {
  const { thread } = await openThread(t);
  const all = digests(1100);
  const put = all.slice(0, 3).map((digest) => thread.ask('put', { digest, size: 1, usedAt: 1, checkedAt: 1 }));
  const linked = all.map((digest) => thread.ask('link', 'big', { mediaType, digest, size: 1 }));
  const pointed = all.map((digest, index) =>
    thread.ask('point', 'big', `tag-${index}`, { descriptor: { mediaType, digest, size: 1 }, checkedAt: index }),
  );
  const judged = all.map((_, index) => thread.ask('judge', `small-${index}`, { asOf: index }));
  await Promise.all([...put, ...linked, ...pointed, ...judged]);
  await tidy(thread, 1090, AbortSignal.any([]));
  const standings = await Promise.all(all.map((digest) => thread.ask('standing', 'big', digest)));
  const pointers = await Promise.all(all.map((_, index) => thread.ask('pointer', 'big', `tag-${index}`)));
  const verdicts = await Promise.all(all.map((_, index) => thread.ask('verdict', `small-${index}`)));
  const left = (found: readonly unknown[]) => found.flatMap((each, index) => (each === undefined ? [] : [index]));
  const young = Array.from({ length: 10 }, (_, index) => 1090 + index);
  assert.deepEqual([left(standings), left(pointers), left(verdicts)], [[0, 1, 2], young, young]);
});

it('takes away no more than 4 files at a time, in their order, and stops in between when it is enough', async (t) => {
  const before = await openFresh(t, 10_000);
  const stored: Digest[] = [];
  for (let seed = 1; seed <= 20; seed += 1) {
    before.clock.time += 1;
    const bytes = someBytes(100, seed);
    await before.store.blobs.fill(digestOf(bytes), [sourceOf(bytes)]).done;
    stored.push(digestOf(bytes));
  }
  let [running, most] = [0, 0];
  const { remove } = Shelf.prototype;
  t.mock.method(Shelf.prototype, 'remove', async function count(this: Shelf, ...values: Parameters<typeof remove>) {
    running += 1;
    most = Math.max(most, running);
    await remove.apply(this, values);
    running -= 1;
  });
  const { store, events } = await before.again(1000);
  await store.settled;
  const evicted = events.flatMap((event) => (event.kind === 'evicted' ? [event.digest] : []));
  assert.deepEqual([evicted, most, store.usage().bytes], [stored.slice(0, 10), 4, 1000]);
});
