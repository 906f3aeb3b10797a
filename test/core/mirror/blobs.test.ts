import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blobOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { alpine, bytes, layer, path, size, upstreamPath } from './one-layer.ts';
import { collect } from './world.ts';

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
