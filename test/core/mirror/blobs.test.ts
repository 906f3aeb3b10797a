import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { BlobStore } from '../../../src/core/mirror/ports.ts';
import { discard } from '../../../src/core/mirror/reply.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { blobOf, image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { collect, minute, world } from './world.ts';

const size = 300_000;
const bytes = randomBytes(7, size);
const layer = layerOf(bytes);
const path = `/v2/alpine/blobs/${layer.digest}`;
const upstreamPath = `/v2/library/alpine/blobs/${layer.digest}`;

function bound(blobs: BlobStore): BlobStore {
  return {
    stat: (digest) => blobs.stat(digest),
    open: (digest, range) => blobs.open(digest, range),
    fill: (digest, sources, expected) => blobs.fill(digest, sources, expected),
    read: (digest, most) => blobs.read(digest, most),
    delete: (digest) => blobs.delete(digest),
    check: (digest) => blobs.check(digest),
  };
}

async function alpine(options: Parameters<typeof world>[0] = {}) {
  const all = await world(options);
  all.registry.hold('library/alpine', image({ layers: [layer] }), '3');
  // As every client does first. The repository is known to be public then.
  await all.get('/v2/alpine/manifests/3');
  all.asked();
  return all;
}

describe('a blob', () => {
  it('is fetched once and then comes from the store', async () => {
    const { get, asked, settled } = await alpine();
    const cold = await get(path);
    assert.deepEqual([cold.status, cold.headers['cache-status']], [200, 'sampan; fwd=miss; stored']);
    assert.equal(cold.headers['content-length'], String(size));
    assert.equal(cold.headers['docker-content-digest'], layer.digest);
    await settled();
    const warm = await get(path);
    assert.deepEqual([warm.status, warm.headers['cache-status']], [200, 'sampan; hit']);
    assert.ok(warm.body.equals(cold.body));
    assert.deepEqual(asked(), [`GET ${upstreamPath}`]);
  });

  it('is downloaded once by twenty who ask at the same moment', async () => {
    const { get, asked } = await alpine();
    const all = await Promise.all(Array.from({ length: 20 }, () => get(path)));
    for (const told of all) assert.ok(told.body.equals(all[0]!.body) && told.body.length === size);
    const outcomes = all.map((told) => told.headers['cache-status']);
    assert.equal(outcomes.filter((each) => each === 'sampan; fwd=miss; stored').length, 1);
    assert.equal(outcomes.filter((each) => each === 'sampan; fwd=miss; collapsed').length, 19);
    assert.deepEqual(asked(), [`GET ${upstreamPath}`]);
  });

  it('goes on coming in when the only reader leaves', async () => {
    const { registry, start, get, asked, events } = await alpine();
    const gate = new Gate();
    registry.levers.stall = { after: 100_000, gate };
    const reply = await start(path);
    assert.ok(reply.body.kind === 'stream');
    const reader = reply.body.stream[Symbol.asyncIterator]();
    await reader.next();
    await reader.return?.();
    gate.open();
    const told = await get(path);
    assert.equal(told.body.length, size);
    assert.deepEqual(asked(), [`GET ${upstreamPath}`]);
    assert.ok(!events.some((event) => event.kind === 'fill-failed'));
  });

  it('gives whoever joins late everything from the start', async () => {
    const { registry, start } = await alpine();
    const gate = new Gate();
    registry.levers.stall = { after: 200_000, gate };
    const first = collect(await start(path));
    await gate.reached();
    const late = collect(await start(path));
    gate.open();
    assert.ok((await first).body.equals((await late).body));
  });

  it('answers HEAD without starting a fill, cold and warm', async () => {
    const { head, get, asked, events, settled } = await alpine();
    const cold = await head(path);
    assert.deepEqual([cold.status, cold.headers['content-length'], cold.body.length], [200, String(size), 0]);
    assert.deepEqual(asked(), [`HEAD ${upstreamPath}`]);
    assert.ok(!events.some((event) => event.kind === 'fill' && event.digest === layer.digest));
    await get(path);
    await settled();
    asked();
    assert.equal((await head(path)).headers['cache-status'], 'sampan; hit');
    assert.deepEqual(asked(), []);
  });

  it('is 404 if the upstream has none, HEAD and GET', async () => {
    const { get, head } = await alpine();
    const nowhere = `/v2/alpine/blobs/sha256:${'0'.repeat(64)}`;
    const told = await get(nowhere);
    assert.deepEqual([told.status, told.code], [404, 'BLOB_UNKNOWN']);
    assert.equal((await head(nowhere)).status, 404);
  });

  it('may be empty', async () => {
    const { registry, get, settled } = await alpine();
    const empty = registry.holdBlob('library/alpine', blobOf(Buffer.alloc(0)));
    for (const outcome of ['sampan; fwd=miss; stored', 'sampan; hit']) {
      const told = await get(`/v2/alpine/blobs/${empty.digest}`);
      assert.deepEqual([told.status, told.body.length, told.headers['cache-status']], [200, 0, outcome]);
      await settled();
    }
  });

  it('needs no length from the upstream', async () => {
    const { registry, get, asked, settled } = await alpine();
    registry.levers.contentLength = false;
    const cold = await get(path);
    assert.equal(cold.body.length, size);
    await settled();
    asked();
    const warm = await get(path);
    assert.deepEqual([warm.body.length, warm.headers['content-length']], [size, String(size)]);
    asked();
    await get(path);
    assert.deepEqual(asked(), []);
  });

  it('is 304 for whoever has it, without a download', async () => {
    const { get, asked } = await alpine();
    await get(path);
    asked();
    assert.equal((await get(path, { ifNoneMatch: `"${layer.digest}"` })).status, 304);
    assert.deepEqual(asked(), []);
  });
});

describe('a range of a blob', () => {
  const cases = [
    ['bytes=500-1499', 500, 1000],
    ['bytes=500-', 500, size - 500],
    ['bytes=-500', size - 500, 500],
    [`bytes=${size - 10}-${size + 5000}`, size - 10, 10],
  ] as const;

  for (const temperature of ['cold', 'warm']) {
    for (const [range, offset, length] of cases) {
      it(`${range}, ${temperature}: 206 with just these bytes`, async () => {
        const { get } = await alpine();
        if (temperature === 'warm') await get(path);
        const told = await get(path, { range });
        assert.equal(told.status, 206);
        assert.equal(told.headers['content-range'], `bytes ${offset}-${offset + length - 1}/${size}`);
        assert.equal(told.headers['content-length'], String(length));
        assert.ok(told.body.equals(bytes.subarray(offset, offset + length)));
      });
    }

    it(`beyond the end, ${temperature}: 416 that tells the size`, async () => {
      const { get } = await alpine();
      if (temperature === 'warm') await get(path);
      for (const range of [`bytes=${size}-`, `bytes=${size + 10}-${size + 20}`, 'bytes=500-0', 'bytes=-0']) {
        const told = await get(path, { range });
        assert.deepEqual(
          [told.status, told.code, told.headers['content-range']],
          [416, 'RANGE_INVALID', `bytes */${size}`],
        );
      }
    });

    it(`several at once, or after an If-Range that does not match, ${temperature}: 200 with the whole`, async () => {
      const { get } = await alpine();
      if (temperature === 'warm') await get(path);
      assert.equal((await get(path, { range: 'bytes=0-1,5-6' })).body.length, size);
      assert.equal((await get(path, { range: 'bytes=0-1', ifRange: '"other"' })).body.length, size);
      assert.equal((await get(path, { range: 'bytes=0-1', ifRange: `"${layer.digest}"` })).body.length, 2);
    });
  }

  it('of a blob that another client is fetching starts no second download', async () => {
    const { start, get, asked } = await alpine();
    const whole = collect(await start(path));
    assert.equal((await get(path, { range: 'bytes=-10' })).body.length, 10);
    await whole;
    assert.deepEqual(asked(), [`GET ${upstreamPath}`]);
  });
});

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

describe('a blob that was cut short at rest', () => {
  it('is not sent as a whole, and is fetched again', async () => {
    const { get, settled, dir, events } = await alpine();
    await get(path);
    await settled();
    const hex = layer.digest.slice(7);
    await truncate(join(dir, 'blobs', 'sha256', hex.slice(0, 2), hex), 1000);
    assert.ok((await get(path)).body.equals(bytes));
    while (!events.some((event) => event.kind === 'trouble')) await setImmediate();
    assert.ok((await get(path)).body.equals(bytes));
    await settled();
    assert.equal((await get(path)).headers['cache-status'], 'sampan; hit');
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
