// Blobs at rest are read through in the background, all in their turn, at a bounded pace, and in nobody's way.
import assert from 'node:assert/strict';
import { readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import type { Clock } from '../../../src/core/mirror/ports.ts';
import { type Digest, hexOf } from '../../../src/core/oci/digest.ts';
import { BookThread } from '../../../src/node/store/book-thread.ts';
import { Layout, prepare } from '../../../src/node/store/layout.ts';
import { Ledger } from '../../../src/node/store/ledger.ts';
import { Quarantine } from '../../../src/node/store/quarantine.ts';
import { scrub } from '../../../src/node/store/scrub.ts';
import { Shelf } from '../../../src/node/store/shelf.ts';
import { openStore } from '../../../src/node/store/store.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { directory, openAt, until } from './opening.ts';

const day = 86_400_000;
const size = 1_000_000;
const blobs = [1, 2, 3].map((seed) => someBytes(size, seed));

/** Whoever sleeps wakes when the test lets time go on. */
class HeldClock implements Clock {
  time = 1_700_000_000_000;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((wake, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      this.#sleepers.push({ at: this.time + ms, wake });
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }

  /** As many are asleep. */
  async asleep(count = 1): Promise<void> {
    await until(() => this.#sleepers.length >= count);
  }

  /** To when the first wakes. */
  async forward(): Promise<void> {
    await this.asleep();
    const next = Math.min(...this.#sleepers.map(({ at }) => at));
    const due = this.#sleepers.filter(({ at }) => at === next);
    this.#sleepers = this.#sleepers.filter((each) => !due.includes(each));
    this.time = Math.max(this.time, next);
    for (const { wake } of due) wake();
  }
}

function pathOf(dir: string, digest: Digest): string {
  return join(dir, 'blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest));
}

/** Three blobs at rest, each stored a day after the other, and somebody who scrubs. */
async function scene(t: TestContext, busy = () => false, every: () => number | undefined = () => 30 * day) {
  const before = await openAt(t, await directory(t));
  for (const bytes of blobs) {
    await before.store.blobs.fill(digestOf(bytes), [sourceOf(bytes, 65_536)], size).done;
    before.clock.time += day;
  }
  await before.store.close();
  const clock = new HeldClock();
  clock.time = before.clock.time;
  const events: MirrorEvent[] = [];
  const report = (event: MirrorEvent) => void events.push(event);
  const layout = new Layout(before.dir);
  await prepare(layout);
  const thread = await BookThread.open(layout.book, clock, report);
  const ledger = new Ledger(thread, clock);
  const quarantine = new Quarantine({ dir: layout.quarantine, limit: undefined, clock, report });
  const stop = new AbortController();
  const shelf = new Shelf({ layout, ledger, quarantine, report, stop: stop.signal });
  const over = scrub({ ledger, shelf, clock, report, every, busy, signal: stop.signal });
  t.after(async () => {
    stop.abort();
    await over;
    await thread.close(false);
  });
  const next = async () => (await ledger.leastChecked())?.digest;
  return { dir: before.dir, clock, events, ledger, shelf, stop, over, next };
}

const digests = blobs.map((bytes) => digestOf(bytes));

it('reads every blob once in the period, in the order in which they were stored or checked', async (t) => {
  const { clock, next } = await scene(t);
  const from = clock.time;
  const order: (Digest | undefined)[] = [];
  const reads = 3 * Math.ceil(size / (256 * 1024) + 1);
  for (let turn = 0; turn < 32 * 24 + reads && clock.time < from + 31 * day; turn += 1) {
    const first = await next();
    if (order.at(-1) !== first) order.push(first);
    await clock.forward();
    await clock.asleep();
  }
  assert.deepEqual(order, [...digests, digests[0]]);
});

it('reads no faster than a megabyte a second where little is stored', async (t) => {
  const { clock, next } = await scene(t);
  clock.time += 40 * day;
  await clock.forward();
  await clock.asleep();
  const from = clock.time;
  while ((await next()) === digests[0]) {
    await clock.forward();
    await clock.asleep();
  }
  const seconds = (clock.time - from) / 1000;
  assert.ok(seconds >= 1 && seconds < 1.2, `${seconds} s`);
});

it('finds what the disk has spoilt, and goes on with the next', async (t) => {
  const { dir, clock, events, next } = await scene(t);
  const bytes = someBytes(size, 1);
  bytes[size - 1] = (bytes[size - 1] ?? 0) ^ 1;
  await writeFile(pathOf(dir, digests[0]!), bytes);
  clock.time += 40 * day;
  while ((await next()) !== digests[2]) {
    await clock.forward();
    await clock.asleep();
  }
  assert.deepEqual(events, [{ kind: 'bad-blob', digest: digests[0], size, found: 'scrubbing' }]);
});

it('ends when it is no longer wanted', async (t) => {
  let every: number | undefined = 30 * day;
  const { clock, over } = await scene(
    t,
    () => false,
    () => every,
  );
  await clock.asleep();
  every = undefined;
  await clock.forward();
  await over;
});

it('reads what was checked in the future first: the clock was set back since', async (t) => {
  const { clock, next } = await scene(t);
  clock.time -= 365 * day;
  await clock.forward();
  const first = await next();
  for (let step = 0; step < 100 && (await next()) === first; step += 1) {
    await clock.asleep();
    await clock.forward();
  }
  assert.notEqual(await next(), digests[0]);
});

/** Deleted files of the directory that are still open, here. */
async function deletedBut(dir: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const links = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return links.filter((link) => link.startsWith(join(dir, 'blobs')) && link.endsWith('(deleted)'));
}

const noProc = process.platform !== 'linux' && 'there is no /proc';

it('lets go of a blob that is to be evicted, and of one that is gone, without a word', { skip: noProc }, async (t) => {
  const { dir, clock, events, ledger, shelf, next } = await scene(t);
  clock.time += 40 * day;
  for (let step = 0; step < 3; step += 1) {
    await clock.forward();
    await clock.asleep();
  }
  assert.equal(shelf.busy(digests[0]!), false, 'it may be evicted');
  await shelf.remove(digests[0]!);
  assert.deepEqual(await deletedBut(dir), [], 'its bytes are free');
  await rm(pathOf(dir, digests[1]!));
  while ((await next()) !== digests[2]) {
    await clock.forward();
    await clock.asleep();
  }
  assert.deepEqual([ledger.blobs, events], [1, []]);
});

it('waits while the process is busy', async (t) => {
  let busy = true;
  const { clock, next } = await scene(t, () => busy);
  clock.time += 40 * day;
  for (let second = 0; second < 100; second += 1) {
    await clock.forward();
    await clock.asleep();
  }
  assert.equal(await next(), digests[0]);
  busy = false;
  while ((await next()) === digests[0]) {
    await clock.forward();
    await clock.asleep();
  }
});

it('ends at once in the middle of a blob', async (t) => {
  const { clock, stop, over } = await scene(t);
  clock.time += 40 * day;
  for (let step = 0; step < 3; step += 1) {
    await clock.forward();
    await clock.asleep();
  }
  stop.abort(new Error('closing'));
  await over;
});

it('is done by a store that is told how often, and hinders no close', async (t) => {
  const dir = await directory(t);
  const clock = new HeldClock();
  const options = { dir, limit: undefined, clock, report: () => undefined, scrubEvery: day };
  const store = await openStore(options);
  await store.settled;
  await clock.asleep();
  await store.close();
});
