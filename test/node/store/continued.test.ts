// A blob that broke off on its way in is continued by the next who wants it, and nothing that is here is fetched again.
import assert from 'node:assert/strict';
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import type { Source } from '../../../src/core/mirror/ports.ts';
import type { RangeRequest } from '../../../src/core/oci/range.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { collect, digestOf, isError } from '../../conformance/blob-store.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { readOut, settled } from './filling.ts';
import { Fading, incomingIn, MiB, plant, spoil } from './half.ts';
import { directory, openAt, openFresh, type Opened } from './opening.ts';
import { Taps } from './taps.ts';

const size = 8 * MiB;
const bytes = randomBytes(3, size);
const digest = digestOf(bytes);
const between = (offset: number, length: number) => ({ kind: 'between', offset, last: offset + length - 1 }) as const;

/** Pulls it whole from an upstream that stays; answers what that was asked for and how much it sent. */
async function pull({ store, events }: Opened, asked?: RangeRequest, expected?: number) {
  const upstream = new Fading(bytes);
  const fill = store.blobs.fill(digest, [upstream.source], expected);
  const content = await fill.open(asked);
  const { offset, length } = content.range ?? { offset: 0, length: size };
  assert.ok((await collect(content)).equals(bytes.subarray(offset, offset + length)));
  await fill.done;
  assert.ok((await collect((await store.blobs.open(digest))!)).equals(bytes));
  const kept = events.flatMap((event) => (event.kind === 'stored' ? [event.kept] : []));
  return { asked: upstream.asked, sent: upstream.sent, kept: kept.at(-1) };
}

async function planted(t: TestContext, pieces: readonly (readonly [number, number])[], limit?: number) {
  const dir = await directory(t);
  const path = await plant(dir, bytes, pieces);
  return { path, ...(await openAt(t, dir, limit)) };
}

describe('a blob whose upstream broke for good', () => {
  it('is continued only by what has the same origin: no registry opens what another one sent to somebody', async (t) => {
    const { dir, store } = await openFresh(t);
    const order = (origin: string, upstream: Fading) =>
      store.blobs.fill(digest, [upstream.source], undefined, 1, origin).done;
    await assert.rejects(order('a.test', new Fading(bytes, 6 * MiB)));
    const other = new Fading(bytes, 5 * MiB);
    await assert.rejects(order('b.test', other));
    assert.equal(other.asked[0]?.from, 0);
    const same = new Fading(bytes);
    await order('a.test', same);
    assert.equal(same.asked[0]?.from, 6 * MiB);
    assert.ok((await collect((await store.blobs.open(digest))!)).equals(bytes));
    assert.ok((await incomingIn(dir)).length <= 2);
  });

  for (const [when, reopen] of [
    ['in the same process', (opened: Opened) => opened],
    ['after a clean stop', (opened: Opened) => opened.again()],
  ] as const) {
    it(`is continued ${when}, with what was missing and no byte more`, async (t) => {
      const opened = await openFresh(t);
      const most = 6 * MiB + 12_345;
      const failing = opened.store.blobs.fill(digest, [new Fading(bytes, most).source]);
      const cut = await readOut(await failing.open());
      assert.ok(isError('UNAVAILABLE', 503)(cut.error));
      await assert.rejects(failing.done);
      assert.equal((await incomingIn(opened.dir)).length, 2);
      const next = await reopen(opened);
      const { reserved } = next.store.usage();
      assert.ok(reserved >= most && reserved < most + 65_536, `${reserved} are counted`);
      const told = await pull(next);
      assert.deepEqual(told, { asked: [{ from: most, end: undefined }], sent: size - most, kept: most });
      assert.deepEqual(await incomingIn(next.dir), []);
      assert.deepEqual(next.store.usage(), { bytes: size, reserved: 0, blobs: 1, limit: undefined });
    });
  }

  it('is continued as often as it takes', async (t) => {
    const { store, dir } = await openFresh(t);
    let sent = 0;
    for (let attempt = 1; ; attempt += 1) {
      const upstream = new Fading(bytes, 1.5 * MiB);
      const error = await store.blobs.fill(digest, [upstream.source]).done.catch((thrown: unknown) => thrown);
      sent += upstream.sent;
      if (error === undefined) break;
      assert.ok(attempt < 8);
    }
    assert.equal(sent, size);
    assert.deepEqual(await incomingIn(dir), []);
  });

  it('is continued where several connections had been at it, and a range is served first', async (t) => {
    const opened = await openFresh(t);
    const taps = new Taps(bytes);
    const fill = opened.store.blobs.fill(digest, [taps.source], size);
    const readers = [fill.open(), fill.open(between(5 * MiB, 1000))];
    for (const reader of readers) void reader.then(readOut);
    await (await taps.tap(0)).flow(MiB + 1000);
    await (await taps.tap(1)).flow(300_000);
    await opened.store.close();
    await assert.rejects(fill.done);
    const next = await opened.again();
    const { asked, sent, kept } = await pull(next, { kind: 'from', offset: 5 * MiB + 1000 });
    assert.equal(kept, taps.sent);
    assert.equal(sent, size - taps.sent);
    assert.equal(asked[0]?.from, 5 * MiB + 300_000, 'the first byte that is missing behind where the reader begins');
  });
});

describe('a blob that a crash broke off', () => {
  it('is continued, whatever pieces are here', async (t) => {
    const pieces = [
      [1000, 3 * MiB],
      [4 * MiB, 4 * MiB + 1],
      [5 * MiB, size],
    ] as const;
    const held = pieces.reduce((sum, [start, end]) => sum + end - start, 0);
    for (const asked of [undefined, { kind: 'suffix', length: 100 }, between(2 * MiB, 10)] as const) {
      const told = await pull(await planted(t, pieces), asked);
      assert.deepEqual([told.sent, told.kept], [size - held, held]);
    }
  });

  it('is put in its place when all of it is here, for one byte from the upstream that vouches for it', async (t) => {
    const opened = await planted(t, [[0, size]]);
    const { asked, kept } = await pull(opened);
    assert.deepEqual([asked, kept], [[{ from: size - 1, end: undefined }], size]);
  });

  it('goes out only when the upstream has answered', async (t) => {
    const { store } = await planted(t, [[0, size]]);
    const answer = Promise.withResolvers<void>();
    const upstream = new Fading(bytes);
    const fill = store.blobs.fill(digest, [
      async (...asked) => {
        await answer.promise;
        return upstream.source(...asked);
      },
    ]);
    const reading = fill.open().then(collect);
    const early = await settled(reading);
    answer.resolve();
    assert.equal(early, false);
    assert.ok((await reading).equals(bytes));
    await fill.done;
  });

  it('serves what is here while what is missing does not come', async (t) => {
    const { store } = await planted(t, [[2 * MiB, 6 * MiB]]);
    const taps = new Taps(bytes);
    const fill = store.blobs.fill(digest, [taps.source]);
    assert.ok(
      (await collect(await fill.open(between(3 * MiB + 7, MiB)))).equals(bytes.subarray(3 * MiB + 7, 4 * MiB + 7)),
    );
    assert.equal(taps.sent, 0);
    taps.open();
    await fill.done;
    assert.equal(taps.sent, size - 4 * MiB);
  });

  it('is read again first where somebody waits for it', async (t) => {
    const { store } = await planted(t, [[0, size]]);
    const checked = new Set<number>();
    const file = await open('/dev/null');
    const prototype = Object.getPrototypeOf(file) as FileHandle;
    await file.close();
    const { read } = prototype;
    t.mock.method(prototype, 'read', function spied(this: FileHandle, ...asked: unknown[]) {
      checked.add(Math.floor(Number(asked[3]) / MiB));
      return Reflect.apply(read, this, asked);
    });
    const fill = store.blobs.fill(digest, [new Fading(bytes).source]);
    assert.ok((await collect(await fill.open(between(6 * MiB, 10)))).equals(bytes.subarray(6 * MiB, 6 * MiB + 10)));
    assert.ok(checked.has(6) && checked.size <= 3, [...checked].join());
    await fill.done;
  });

  it('waits on for the next when the upstream refuses, cannot answer, or the disk is left', async (t) => {
    const opened = await planted(t, [[0, 2 * MiB]]);
    for (const error of [new RegistryError('BLOB_UNKNOWN', 'no'), new RegistryError('TOOMANYREQUESTS', 'later')]) {
      await assert.rejects(opened.store.blobs.fill(digest, [() => Promise.reject(error)]).done);
    }
    const next = await opened.again();
    assert.equal((await pull(next)).kept, 2 * MiB);
  });

  for (const [what, spoils] of Object.entries({
    'is full of zeros': (path: string) => spoil(path, [MiB, MiB + 1]),
    'is something else': (path: string) => spoil(path, [2 * MiB - 1, 2 * MiB], 0x55),
    'is cut off': (path: string) => truncate(path, 3 * MiB - 1),
  })) {
    it(`is believed only as far as it is what was written: a part of it ${what}`, async (t) => {
      const opened = await planted(t, [[0, 3 * MiB]]);
      await spoils(opened.path);
      const told = await pull(opened);
      assert.deepEqual([told.kept, told.sent], [2 * MiB, size - 2 * MiB]);
      assert.deepEqual(
        opened.events.filter(({ kind }) => kind === 'trouble'),
        [],
      );
    });
  }

  it('is fetched where it turns out to be lost when all else is here', async (t) => {
    const opened = await planted(t, [[0, size]]);
    await spoil(opened.path, [4 * MiB, 5 * MiB]);
    const told = await pull(opened);
    assert.deepEqual(told.asked, [
      { from: size - 1, end: undefined },
      { from: 4 * MiB, end: 5 * MiB },
    ]);
    assert.equal(told.kept, size - MiB);
  });

  it('is fetched, like anything else that is missing, from an upstream that cannot answer just then', async (t) => {
    for (const status of [502, 503]) {
      for (const start of [0, 4 * MiB]) {
        const opened = await planted(t, [[0, size]]);
        await spoil(opened.path, [start, start + MiB]);
        const upstream = new Fading(bytes);
        let failures = 3;
        const source: Source = (...asked) => {
          if (asked[0] !== size - 1 && (failures -= 1) >= 0) {
            return Promise.reject(new RegistryError('UNAVAILABLE', 'not now', { status }));
          }
          return upstream.source(...asked);
        };
        const fill = opened.store.blobs.fill(digest, [source]);
        assert.ok((await collect(await fill.open())).equals(bytes));
        await fill.done;
        assert.deepEqual(upstream.asked.slice(1), [{ from: start, end: start + MiB }]);
      }
    }
  });

  it('is fetched once where it turns out to be lost just as all else has come', async (t) => {
    for (const lost of [1, 3, 5, 6]) {
      const opened = await planted(t, [[0, 7 * MiB]]);
      await spoil(opened.path, [lost * MiB, lost * MiB + 1], 0x55);
      const told = await pull(opened, between(6 * MiB + 5, 10));
      assert.deepEqual([told.kept, told.sent], [6 * MiB, 2 * MiB]);
    }
  });
});

describe('what an earlier fill left is thrown away', () => {
  it('when the upstream has another size now', async (t) => {
    const dir = await directory(t);
    await plant(dir, bytes, [[0, 2 * MiB]], { size: size + 1 });
    const told = await pull(await openAt(t, dir));
    assert.deepEqual([told.asked.at(-1)?.from, told.kept], [0, 0]);
  });

  it('when the upstream has told another size before', async (t) => {
    const dir = await directory(t);
    await plant(dir, bytes, [[0, 2 * MiB]], { size: size + 1 });
    const told = await pull(await openAt(t, dir), undefined, size);
    assert.deepEqual([told.asked, told.kept], [[{ from: 0, end: undefined }], 0]);
  });

  it('when the upstream sends the whole whatever it is asked', async (t) => {
    const { store } = await planted(t, [[0, 2 * MiB]]);
    const taps = new Taps(bytes, false);
    taps.open();
    const fill = store.blobs.fill(digest, [taps.source]);
    assert.ok((await collect(await fill.open())).equals(bytes));
    await fill.done;
  });

  it('when it does not become the blob that it is called', async (t) => {
    const dir = await directory(t);
    const other = Buffer.from(bytes);
    other[7] = (other[7] ?? 0) ^ 1;
    // The journal vouches for these bytes, and yet they are wrong.
    await plant(dir, other, [[0, 2 * MiB]], { digest });
    const opened = await openAt(t, dir);
    const fill = opened.store.blobs.fill(digest, [new Fading(bytes).source]);
    const { error, length } = await readOut(await fill.open());
    assert.ok(isError('UNAVAILABLE', 502)(error));
    assert.ok(length < size);
    await assert.rejects(fill.done);
    assert.deepEqual(await incomingIn(dir), []);
    assert.deepEqual((await pull(opened)).kept, 0);
  });
});
