import assert from 'node:assert/strict';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type BlobStore, type Content, type Fill, NoRoom } from '../../../src/core/mirror/ports.ts';
import { discard } from '../../../src/core/mirror/reply.ts';
import { type RangeRequest, resolveRange } from '../../../src/core/oci/range.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { blobOf, image } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { bound } from './bound-store.ts';
import { alpine, bytes, layer, path, size, upstreamPath } from './one-layer.ts';
import { collect, CutOff, minute } from './world.ts';

describe('a blob that goes wrong', () => {
  for (const wrong of ['all', 'last'] as const) {
    it(`with wrong bytes (${wrong}) never ends well, and is not kept`, async () => {
      const { registry, start, store, get, events, settled } = await alpine();
      registry.levers.lie = { digest: layer.digest, bytes: wrong };
      for (const range of [undefined, 'bytes=1000-']) {
        const reply = await start(path, range === undefined ? {} : { range });
        await assert.rejects(collect(reply));
        await settled();
      }
      assert.ok(events.some((event) => event.kind === 'fill-failed'));
      assert.equal(await store.blobs.stat(layer.digest as never), undefined);
      registry.levers.lie = undefined;
      assert.equal((await get(path)).body.length, size);
    });
  }

  it('because the upstream breaks off is fetched on from there, and nobody sees anything', async () => {
    const { registry, get, asked } = await alpine();
    registry.levers.breakOff = { after: 100_000, times: 2 };
    const told = await get(path);
    assert.ok(told.body.equals(bytes));
    assert.equal(asked().length, 3);
  });

  it('because the upstream breaks off, and wants to be left alone for long, is given up until then', async () => {
    const { registry, start, get, asked, clock, settled } = await alpine();
    const limited = { refusal: { status: 429, headers: { 'retry-after': '45' } } };
    registry.levers.bend = ({ headers }) =>
      headers.range === undefined ? { breaks: { at: 100_000, how: 'cut' } } : limited;
    const began = clock.time;
    await assert.rejects(start(path).then(collect), { status: 429 });
    assert.equal(clock.time - began, 100, 'nobody waits for 45 s');
    await settled();
    await setImmediate();
    clock.forward(40_000);
    asked();
    const refused = await get(path);
    assert.deepEqual([refused.status, refused.headers['retry-after'], asked()], [429, '45', []]);
    await settled();
    await setImmediate();
    registry.levers.bend = undefined;
    clock.forward(5000);
    assert.ok((await get(path)).body.equals(bytes));
  });

  it('because the upstream is gone never ends well, and the next pull starts anew', async () => {
    const { registry, start, get } = await alpine();
    const gate = new Gate();
    registry.levers.stall = { after: 100_000, gate };
    const reading = collect(await start(path));
    await Promise.all([assert.rejects(reading), gate.reached().then(() => registry.down())]);
    registry.levers.stall = undefined;
    await registry.up();
    assert.equal((await get(path)).body.length, size);
  });

  it('is refused before the head if its size is not the one that the upstream told before', async () => {
    const { registry, get, settled, store } = await alpine();
    await get(path);
    await settled();
    await store.blobs.delete(layer.digest as never);
    registry.holdBlob('library/alpine', { ...blobOf(randomBytes(8, 10)), digest: layer.digest });
    assert.equal((await get(path)).status, 502);
  });
});

describe('a blob that the store cannot take', () => {
  it('because it is larger than the budget goes past it, checked like any other', async () => {
    const { registry, get, start, asked, store } = await alpine({ limit: 100_000 });
    const told = await get(path);
    assert.deepEqual([told.status, told.body.length], [200, size]);
    assert.equal(told.headers['cache-status'], 'sampan; fwd=miss; detail=too-large');
    assert.equal((await get(path, { range: 'bytes=-500' })).body.length, 500);
    assert.equal((await get(path, { range: 'bytes=1000-' })).body.length, size - 1000);
    assert.equal((await get(path, { range: 'bytes=1000-1009' })).body.length, 10);
    assert.ok(asked().length > 0);
    assert.ok(store.usage().bytes <= 100_000);
    registry.levers.lie = { digest: layer.digest, bytes: 'last' };
    await assert.rejects(collect(await start(path)));
    await assert.rejects(collect(await start(path, { range: 'bytes=1000-' })));
  });

  it('because there is none goes past it', async () => {
    const { get, head } = await alpine({ holds: false });
    assert.equal((await get(path)).body.length, size);
    assert.equal((await head(path)).status, 200);
    assert.equal((await get('/v2/alpine/manifests/3')).status, 200);
  });
});

describe('what turned bad at rest', () => {
  const pathIn = (dir: string, digest: string): string =>
    join(dir, 'blobs', 'sha256', digest.slice(7, 9), digest.slice(7));

  for (const length of [0, 1000]) {
    for (const restarts of [false, true]) {
      it(`is not sent as a whole, and is fetched again (cut to ${length}, ${restarts ? 'then restarted' : 'while running'})`, async () => {
        const all = await alpine();
        const { get, settled, dir, events } = all;
        await get(path);
        await settled();
        await truncate(pathIn(dir, layer.digest), length);
        if (restarts) await all.restart();
        // Whoever finds it still open from before is cut off where it ends.
        const told = await get(path).catch((error: unknown) => {
          assert.ok(!restarts && error instanceof CutOff);
          return undefined;
        });
        if (told !== undefined) assert.ok(told.body.equals(bytes));
        while (!events.some((event) => event.kind === 'bad-blob')) await setImmediate();
        // Until the bad one is gone, pulls go past the store.
        while ((await get(path)).headers['cache-status'] === 'sampan; fwd=miss') await setImmediate();
        await settled();
        const again = await get(path);
        assert.equal(again.headers['cache-status'], 'sampan; hit');
        assert.ok(again.body.equals(bytes));
      });
    }
  }

  it('is not sent although the book was lost, and with it what the size had been', async () => {
    const all = await alpine();
    await all.get(path);
    await all.settled();
    await rm(join(all.dir, 'book.sqlite'));
    await truncate(pathIn(all.dir, layer.digest), 1000);
    await all.restart();
    await all.store.settled;
    await all.get('/v2/alpine/manifests/3');
    assert.equal((await all.head(path)).headers['content-length'], String(size));
    assert.ok((await all.get(path)).body.equals(bytes));
  });

  it('is not sent as a manifest either', async () => {
    const all = await alpine();
    await all.settled();
    const manifest = await all.get('/v2/alpine/manifests/3');
    const digest = String(manifest.headers['docker-content-digest']);
    while ((await all.store.blobs.stat(digest as never)) === undefined) await setImmediate();
    const spoilt = Buffer.from(manifest.body);
    spoilt[10] = (spoilt[10] ?? 0) ^ 1;
    await writeFile(pathIn(all.dir, digest), spoilt);
    await all.restart();
    assert.ok((await all.get(`/v2/alpine/manifests/${digest}`)).body.equals(manifest.body));
    assert.equal(all.events.filter((event) => event.kind === 'bad-blob').length, 1);
  });
});

describe('a blob of which the upstream tells another size than it has', () => {
  it('is checked once, and the bytes are right', async () => {
    const { registry, get, settled, store, asked } = await alpine();
    await get(path);
    await settled();
    const other = 'library/other';
    registry.hold(other, image({ layers: [layer] }), '3');
    await get('/v2/other/manifests/3');
    await store.book.link(
      { registry: 'docker.io', name: other },
      { mediaType: 'a/b', digest: layer.digest as never, size: 7 },
    );
    const elsewhere = `/v2/other/blobs/${layer.digest}`;
    assert.ok((await get(elsewhere)).body.equals(bytes));
    while ((await get(elsewhere)).headers['cache-status'] !== 'sampan; hit') await setImmediate();
    asked();
    assert.ok((await get(elsewhere)).body.equals(bytes));
    assert.deepEqual(asked(), []);
  });
});

describe('a store that has a blob and cannot open it', () => {
  it('is passed by', async () => {
    const { get, settled } = await alpine({ store: (blobs) => ({ ...bound(blobs), open: async () => undefined }) });
    await get(path);
    await settled();
    assert.equal((await get(path)).body.length, size);
  });
});

describe('a reply that is not sent', () => {
  it('leaves nothing behind', async () => {
    const { start, get, clock, asked } = await alpine();
    await discard((await start(path)).body);
    await get(path);
    await discard((await start(path)).body);
    clock.forward(minute);
    assert.deepEqual(asked(), [`GET ${upstreamPath}`]);
  });
});

describe('a store that gives a fill up in the middle', () => {
  /** As a disk that fills up: after so many bytes. */
  const givingUp = (after: number) => (blobs: BlobStore) => ({
    ...bound(blobs),
    fill: (...order: Parameters<BlobStore['fill']>): Fill => {
      if (order[0] !== layer.digest) return blobs.fill(...order);
      const done = Promise.reject(new NoRoom('failed'));
      done.catch(() => {});
      const open = async (asked?: RangeRequest): Promise<Content> => {
        const range = asked && resolveRange(asked, size);
        const { offset, length } = range ?? { offset: 0, length: size };
        return { size, range, body: { kind: 'stream', stream: until(offset, Math.min(after, offset + length)) } };
      };
      return { size: Promise.resolve(size), open, done };
    },
  });
  async function* until(from: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = from; at < end; at += 10_000) yield bytes.subarray(at, Math.min(end, at + 10_000));
    throw new NoRoom('failed');
  }

  for (const [range, expected] of [
    [undefined, bytes],
    ['bytes=1000-', bytes.subarray(1000)],
    ['bytes=1000-199999', bytes.subarray(1000, 200_000)],
    ['bytes=-100', bytes.subarray(-100)],
  ] as const) {
    it(`costs the client nothing (${range ?? 'the whole'})`, async () => {
      const { get } = await alpine({ store: givingUp(120_000) });
      assert.ok((await get(path, range === undefined ? {} : { range })).body.equals(expected));
    });
  }

  it('does not make wrong bytes right', async () => {
    const { registry, start } = await alpine({ store: givingUp(120_000) });
    registry.levers.lie = { digest: layer.digest, bytes: 'last' };
    await assert.rejects(collect(await start(path)));
    await assert.rejects(collect(await start(path, { range: 'bytes=1000-' })));
  });
});
