// The totals stay right when the book does not take what it is told.
import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { NoRoom } from '../../../src/core/mirror/ports.ts';
import { BookThread } from '../../../src/node/store/book-thread.ts';
import { Budget } from '../../../src/node/store/budget.ts';
import { Layout, prepare } from '../../../src/node/store/layout.ts';
import { Leftovers } from '../../../src/node/store/leftovers.ts';
import { Ledger } from '../../../src/node/store/ledger.ts';
import { Quarantine } from '../../../src/node/store/quarantine.ts';
import { Shelf } from '../../../src/node/store/shelf.ts';
import { Database } from '../../../src/node/store/sqlite.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { bytesBelow, directory, openAt, StillClock } from './opening.ts';

const first = digestOf(someBytes(100, 1));

/** A ledger of so many blobs, of 100 bytes each, whose book refuses to drop any row and to take one of 13 bytes. */
async function openFailing(t: TestContext, count = 3) {
  const dir = await directory(t);
  const before = await openAt(t, dir);
  for (let seed = 1; seed <= count; seed += 1) {
    before.clock.time += 1;
    await before.store.blobs.fill(digestOf(someBytes(100, seed)), [sourceOf(someBytes(100, seed))]).done;
  }
  await before.store.close();
  const layout = new Layout(dir);
  await prepare(layout);
  const events: MirrorEvent[] = [];
  const report = (event: MirrorEvent) => events.push(event);
  const path = join(dir, 'book.sqlite');
  const sql = new Database(path);
  sql.exec(`
    CREATE TRIGGER refuse_put BEFORE INSERT ON blob WHEN new.size = 13 BEGIN SELECT RAISE(FAIL, 'disk full'); END;
    CREATE TRIGGER refuse_drop BEFORE DELETE ON blob BEGIN SELECT RAISE(FAIL, 'disk full'); END;
  `);
  sql.close();
  const thread = await BookThread.open(path, new StillClock(), report);
  t.after(() => thread.close(false));
  const ledger = new Ledger(thread, new StillClock());
  const quarantine = new Quarantine({ dir: layout.quarantine, limit: undefined, clock: new StillClock(), report });
  const closing = new AbortController();
  const shelf = new Shelf({ layout, ledger, quarantine, report, stop: closing.signal });
  const leftovers = new Leftovers(layout, report);
  const freeSpace = async () => 1e9;
  const budget = new Budget({ limit: 100 * count, freeSpace, ledger, shelf, leftovers, report, stop: closing.signal });
  return { ledger, shelf, budget, layout, events, closing };
}

it('counts what is gone as gone although its row stays, and only once', async (t) => {
  const { ledger, shelf } = await openFailing(t);
  await shelf.remove(first);
  assert.deepEqual([ledger.bytes, ledger.blobs], [200, 2]);
  await shelf.remove(first);
  assert.deepEqual([ledger.bytes, ledger.blobs], [200, 2]);
  await ledger.put(first, 100);
  assert.deepEqual([ledger.bytes, ledger.blobs], [300, 3]);
});

it('counts what is there although it has no row, until it is gone', async (t) => {
  const { ledger } = await openFailing(t);
  const digest = digestOf(someBytes(13, 9));
  await ledger.put(digest, 13);
  assert.deepEqual([ledger.bytes, ledger.blobs], [313, 4]);
  await ledger.drop(digest, 13);
  assert.deepEqual([ledger.bytes, ledger.blobs], [300, 3]);
});

it('evicts no more than it must when no row can be dropped', async (t) => {
  const { budget, layout, events } = await openFailing(t);
  await budget.reservation().grow(50);
  assert.equal(await bytesBelow(layout.blobs), 200);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['trouble', 'evicted'],
  );
});

it('gives up, with one warning, when no file can be taken away', async (t) => {
  const count = 130;
  const { budget, layout, events } = await openFailing(t, count);
  for (let seed = 1; seed <= count; seed += 1) {
    const path = layout.blob(digestOf(someBytes(100, seed)));
    await rm(path);
    await mkdir(path);
  }
  await assert.rejects(budget.reservation().grow(100 * count), NoRoom);
  assert.deepEqual(
    events.map((event) => event.kind === 'trouble' && event.doing),
    ['evicting a blob'],
  );
});

it('makes no more room when the store is being closed, which is no failure of the disk', async (t) => {
  const { budget, layout, events, closing } = await openFailing(t);
  const making = budget.reservation().grow(150);
  closing.abort(new Error('closing'));
  await assert.rejects(making, { reason: 'full' });
  assert.deepEqual([await bytesBelow(layout.blobs), events], [300, []]);
});
