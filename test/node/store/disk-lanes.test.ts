// Blobs that come in over several connections and out of order: who gets what, when, and what is asked for.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { discard } from '../../../src/core/mirror/reply.ts';
import { NoSenseOfRange, RegistryError } from '../../../src/core/oci/errors.ts';
import { collect, digestOf, someBytes } from '../../conformance/blob-store.ts';
import { heldBack, readOut, reader, settled } from './filling.ts';
import { openFresh } from './opening.ts';
import { Taps } from './taps.ts';

const MiB = 1024 * 1024;
const bytes = someBytes(8 * MiB);
const digest = digestOf(bytes);
const around = MiB;

async function begin(t: TestContext, taps = new Taps(bytes), more: { expected?: number; lanes?: number } = {}) {
  const opened = await openFresh(t);
  const fill = opened.store.blobs.fill(digest, [taps.source], more.expected, more.lanes);
  return { ...opened, taps, fill, incoming: () => readdir(join(opened.dir, 'incoming')) };
}

const between = (offset: number, length: number) => ({ kind: 'between', offset, last: offset + length - 1 }) as const;
const part = (offset: number, length: number) => bytes.subarray(offset, offset + length);

describe('a range of a blob that is not here', () => {
  it('is answered though the front stalls, and the rest comes in afterwards', async (t) => {
    const { taps, fill, store } = await begin(t);
    const whole = fill.open().then(collect);
    const front = await taps.tap(0);
    await front.flow(MiB);
    const range = fill.open(between(5 * MiB, 1000)).then(collect);
    const second = await taps.tap(1);
    assert.deepEqual([second.offset, second.end], [5 * MiB, 5 * MiB + 1000 + around]);
    await second.flow(1000);
    assert.ok((await range).equals(part(5 * MiB, 1000)));
    assert.equal(await settled(whole), false);
    taps.open();
    await fill.done;
    assert.ok((await whole).equals(bytes));
    assert.ok((await collect((await store.blobs.open(digest))!)).equals(bytes));
    assert.equal(taps.sent, bytes.length, 'nothing came twice');
  });

  it('is the first thing that is asked for, if it is known how large the blob is', async (t) => {
    for (const asked of [between(3 * MiB, 500), { kind: 'suffix', length: 500 } as const]) {
      const { taps, fill } = await begin(t, new Taps(bytes), { expected: bytes.length });
      const content = fill.open(asked).then(collect);
      const first = await taps.tap(0);
      const offset = asked.kind === 'suffix' ? bytes.length - 500 : 3 * MiB;
      assert.equal(first.offset, offset);
      await first.flow(500);
      assert.ok((await content).equals(part(offset, 500)));
      taps.open();
      await fill.done;
      assert.equal(taps.sent, bytes.length);
    }
  });

  it('is one of many: still one fill, and no byte comes twice', async (t) => {
    const { taps, fill } = await begin(t, new Taps(bytes), { expected: bytes.length });
    const offsets = Array.from({ length: 40 }, (_, index) => ((index * 37) % 80) * 100_000);
    const ranges = offsets.map((offset) => fill.open(between(offset, 10_000)).then(collect));
    taps.open();
    await fill.done;
    for (const [index, got] of (await Promise.all(ranges)).entries()) {
      assert.ok(got.equals(part(offsets[index]!, 10_000)));
    }
    assert.equal(taps.sent, bytes.length);
  });

  it('may have an open end and be left after a part, as containerd does in parallel', async (t) => {
    const { taps, fill } = await begin(t);
    const first = await taps.tap(0);
    await first.flow(100_000);
    const parts = [0, 2, 4, 6].map(async (at) => {
      const content = await fill.open({ kind: 'from', offset: at * MiB });
      const read = reader(content);
      let got = 0;
      while (got < MiB) {
        const { value } = (await read.next()) as IteratorYieldResult<Uint8Array>;
        assert.ok(part(at * MiB + got, value.length).equals(value));
        got += value.length;
      }
      await read.return?.();
    });
    taps.open();
    await Promise.all([...parts, fill.done]);
    assert.equal(taps.all.length, 4);
    assert.ok(taps.sent < bytes.length * 1.01, 'little came twice: what was under way at a seam');
  });

  it('has no more connections than there may be', async (t) => {
    const { taps, fill } = await begin(t, new Taps(bytes), { lanes: 1 });
    const whole = fill.open().then(collect);
    const range = fill.open(between(5 * MiB, 1000)).then(collect);
    await (await taps.tap(0)).flow(MiB);
    assert.equal(await settled(range), false);
    assert.equal(taps.all.length, 1);
    taps.open();
    await fill.done;
    await Promise.all([whole, range]);
    assert.equal(taps.all.length, 1);
  });

  it('does not stop to come in when who asked for it leaves', async (t) => {
    const { taps, fill, store } = await begin(t);
    const waits = reader(await fill.open(between(5 * MiB, 1000)));
    const next = waits.next();
    await taps.tap(1);
    await waits.return?.();
    assert.equal((await next).done, true);
    await discard((await fill.open({ kind: 'suffix', length: 7 })).body);
    taps.open();
    await fill.done;
    assert.equal(await store.blobs.stat(digest), bytes.length);
  });
});

describe('bytes that come in out of order', () => {
  it('are hashed all the same: the start comes last', async (t) => {
    const { taps, fill, store } = await begin(t);
    const ranges = [2, 4, 6].map((at) => fill.open({ kind: 'from', offset: at * MiB }).then(collect));
    await taps.tap(3);
    for (const tap of taps.all.slice(1).toReversed()) await tap.flow();
    assert.equal(await settled(Promise.race(ranges)), false, 'the last bytes are held back');
    await (await taps.tap(0)).flow();
    await fill.done;
    assert.ok((await collect((await store.blobs.open(digest))!)).equals(bytes));
    for (const [index, at] of [2, 4, 6].entries()) {
      assert.ok((await ranges[index]!).equals(bytes.subarray(at * MiB)));
    }
  });

  it('complete no body if those of any connection are wrong', async (t) => {
    for (const wrongAt of [100, 5 * MiB + 2 * around]) {
      const wrong = Buffer.from(bytes);
      wrong[wrongAt]! ^= 1;
      const { taps, fill, incoming } = await begin(t, new Taps(wrong));
      const whole = readOut(await fill.open());
      const tail = readOut(await fill.open({ kind: 'from', offset: 5 * MiB }));
      await taps.tap(1);
      taps.open();
      await assert.rejects(fill.done, { code: 'UNAVAILABLE', status: 502 });
      for (const { length, error } of [await whole, await tail]) {
        assert.ok(error instanceof Error);
        assert.ok(length <= bytes.length - heldBack);
      }
      assert.deepEqual(await incoming(), []);
    }
  });
});

describe('an upstream', () => {
  it('that ignores ranges has one connection, and ranges wait for it', async (t) => {
    const { taps, fill } = await begin(t, new Taps(bytes, false));
    const first = await taps.tap(0);
    await first.flow(1000);
    const range = fill.open(between(5 * MiB, 1000)).then(collect);
    await taps.tap(1);
    assert.equal(await settled(range), false);
    const other = fill.open(between(2 * MiB, 1000)).then(collect);
    await first.flow();
    await fill.done;
    assert.ok((await range).equals(part(5 * MiB, 1000)));
    assert.ok((await other).equals(part(2 * MiB, 1000)));
    assert.equal(taps.all.length, 2, 'that it does is found out once');
    assert.equal(taps.sent, bytes.length);
  });

  it('that ignores the first question’s range begins at the start', async (t) => {
    const { taps, fill } = await begin(t, new Taps(bytes, false), { expected: bytes.length });
    const range = fill.open(between(5 * MiB, 1000)).then(collect);
    taps.open();
    await fill.done;
    assert.ok((await range).equals(part(5 * MiB, 1000)));
    assert.equal(taps.all.length, 1);
  });

  it('that ignores where the first question ends brings all over that connection', async (t) => {
    const { taps, fill } = await begin(t, new Taps(bytes, false), { expected: bytes.length });
    const range = fill.open(between(0, 1000)).then(collect);
    assert.equal((await taps.tap(0)).end, 1000 + around);
    taps.open();
    await fill.done;
    assert.ok((await range).equals(part(0, 1000)));
    assert.deepEqual([taps.all.length, taps.sent], [1, bytes.length]);
  });

  const nonsense = {
    'answers ranges with 400': () => Promise.reject(new NoSenseOfRange('it answered 400')),
    'answers ranges with 416': () => Promise.reject(new RegistryError('RANGE_INVALID', 'no')),
    'sends another part than was asked for':
      (taps: Taps): Source =>
      (offset, signal) =>
        taps.source(offset + 1, signal),
    'cannot answer ranges': () => Promise.reject(new RegistryError('UNAVAILABLE', 'no')),
  } as const;
  for (const [what, answer] of Object.entries(nonsense)) {
    it(`that ${what} has its one connection, and ranges wait for it`, async (t) => {
      const { store } = await openFresh(t);
      const taps = new Taps(bytes);
      const source: Source = (offset, signal, end) => {
        if (offset === 0 && end === undefined) return taps.source(0, signal);
        const wrong = answer(taps);
        return typeof wrong === 'function' ? wrong(offset, signal) : wrong;
      };
      const fill = store.blobs.fill(digest, [source]);
      const first = await taps.tap(0);
      await first.flow(1000);
      const range = fill.open(between(5 * MiB, 1000)).then(collect);
      assert.equal(await settled(range), false);
      await first.flow();
      await fill.done;
      assert.ok((await range).equals(part(5 * MiB, 1000)));
    });
  }

  it('that makes nothing of the first question’s range is asked for the whole', async (t) => {
    const { store } = await openFresh(t);
    const taps = new Taps(bytes);
    const source: Source = (offset, signal) =>
      offset === 0 ? taps.source(0, signal) : Promise.reject(new RegistryError('UNAVAILABLE', 'no', { status: 502 }));
    const fill = store.blobs.fill(digest, [source], bytes.length);
    const range = fill.open({ kind: 'suffix', length: 10 }).then(collect);
    taps.open();
    await fill.done;
    assert.ok((await range).equals(bytes.subarray(-10)));
  });

  it('is left alone by all connections when the store is closed', async (t) => {
    const { taps, fill, store, incoming } = await begin(t);
    const waiting = [readOut(await fill.open()), readOut(await fill.open(between(5 * MiB, 1000)))];
    await (await taps.tap(0)).flow(1000);
    await (await taps.tap(1)).flow(500);
    await store.close();
    for (const { error } of await Promise.all(waiting)) assert.ok(error instanceof Error);
    await assert.rejects(fill.done);
    assert.ok(taps.all.every(({ signal }) => signal.aborted));
    assert.deepEqual(await incoming(), []);
    assert.equal(store.usage().reserved, 0);
  });
});
