// What the Worker keeps: the first pull of a thing and the next, in Cloudflare's cache alone and with a bucket behind it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Gate } from '../fakes/registry/gate.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { elsewhere } from './behind.ts';
import { startEdge } from './edge.ts';
import { imageOf, keptWorld, length } from './kept-world.ts';

for (const bucket of [false, true]) {
  describe(bucket ? 'with a bucket' : 'with a cache alone', () => {
    const w = keptWorld({ bucket });

    test('a manifest comes from upstream once, by its tag and by its digest, also for another isolate', async () => {
      const { item } = imageOf('manifest');
      w.hub.hold('library/manifest', item, 'latest');
      const cold = await w.edge.get('/v2/manifest/manifests/latest');
      assert.equal(cold.headers['cache-status'], 'sampan; fwd=miss; stored');
      w.hub.log.length = 0;
      for (const headers of [{}, elsewhere]) {
        for (const target of ['latest', item.digest]) {
          for (const method of ['GET', 'HEAD']) {
            const warm = await w.edge.ask({ method, target: `/v2/manifest/manifests/${target}`, headers });
            assert.equal(warm.status, 200);
            assert.equal(warm.headers['cache-status'], 'sampan; hit');
            assert.equal(warm.headers['content-type'], item.mediaType);
            assert.equal(warm.headers['docker-content-digest'], item.digest);
            assert.equal(warm.headers['content-length'], String(item.body.length));
            assert.deepEqual(warm.body, method === 'GET' ? item.body : Buffer.alloc(0));
          }
        }
      }
      assert.deepEqual(w.hub.log, []);
    });

    test('a blob comes from upstream to the client and to the shelf, and from then on from there', async () => {
      const { item, layer, bytes } = imageOf('blob');
      w.hub.hold('library/blob', item, 'latest');
      const cold = await w.edge.get(`/v2/blob/blobs/${layer.digest}`);
      assert.equal(cold.headers['cache-status'], 'sampan; fwd=miss; stored');
      assert.deepEqual(cold.body, bytes);
      assert.deepEqual(
        w.hub.log.map(({ method, headers }) => [method, headers.range]),
        [
          ['GET', undefined],
          ['GET', undefined],
        ],
      );
      w.hub.log.length = 0;
      for (const headers of [{}, elsewhere, {}]) {
        const warm = await w.edge.get(`/v2/blob/blobs/${layer.digest}`, headers);
        assert.equal(warm.status, 200);
        assert.equal(warm.headers['cache-status'], 'sampan; hit');
        assert.equal(warm.headers['cache-control'], 'no-store, no-transform');
        assert.equal(warm.headers['content-length'], String(length));
        assert.deepEqual(warm.body, bytes);
      }
      assert.deepEqual(w.hub.log, []);
    });

    for (const [range, from, to] of [
      ['bytes=100-', 100, length],
      ['bytes=5-9', 5, 10],
      ['bytes=-6', length - 6, length],
      [`bytes=0-${2 * length}`, 0, length],
      [`bytes=-${2 * length}`, 0, length],
    ] as const) {
      test(`${range} gives 206, cold and warm`, async () => {
        const { item, layer, bytes } = imageOf(range);
        w.hub.hold('library/range', item);
        const target = `/v2/range/blobs/${layer.digest}`;
        for (const told of ['sampan; fwd=miss', 'sampan; hit', 'sampan; hit']) {
          const { status, headers, body } = await w.edge.get(target, { range });
          assert.equal(status, 206);
          assert.equal(headers['cache-status'], told);
          assert.equal(headers['content-range'], `bytes ${from}-${to - 1}/${length}`);
          assert.equal(headers['content-length'], String(to - from));
          assert.deepEqual(body, bytes.subarray(from, to));
          // A part is not kept; the whole is, when somebody wants that.
          if (told !== 'sampan; hit') await w.edge.get(target);
        }
        assert.equal(w.hub.log.length, 3);
      });
    }

    test('what runs from the first byte to an open end is the whole, and kept', async () => {
      const { item, layer, bytes } = imageOf('open end');
      w.hub.hold('library/open', item);
      const target = `/v2/open/blobs/${layer.digest}`;
      for (const told of ['sampan; fwd=miss; stored', 'sampan; hit']) {
        const { status, headers, body } = await w.edge.get(target, { range: 'bytes=0-' });
        assert.equal(status, 206);
        assert.equal(headers['cache-status'], told);
        assert.deepEqual(body, bytes);
      }
    });

    test('ranges of what is kept are void, refused or granted as ever', async () => {
      const { item, layer } = imageOf('conditions');
      w.hub.hold('library/conditions', item);
      const target = `/v2/conditions/blobs/${layer.digest}`;
      await w.edge.get(target);
      await w.edge.get(target);
      w.hub.log.length = 0;
      for (const [headers, status] of [
        [{ range: 'bytes=100-', 'if-range': `"${layer.digest}"` }, 206],
        [{ range: 'bytes=100-', 'if-range': '"another"' }, 200],
        [{ range: `bytes=${length}-` }, 416],
        [{ range: 'bytes=5-3' }, 416],
        [{ range: 'bytes=0-1,5-9' }, 200],
        [{ 'if-none-match': `"${layer.digest}"` }, 304],
      ] as const) {
        const found = await w.edge.get(target, headers);
        assert.equal(found.status, status, JSON.stringify(headers));
        if (status === 416) assert.equal(found.headers['content-range'], `bytes */${length}`);
      }
      assert.deepEqual(w.hub.log, []);
    });

    test('a HEAD is asked upstream cold, fetches nothing, and is answered from here warm', async () => {
      const { item, layer } = imageOf('head');
      w.hub.hold('library/head', item);
      const target = `/v2/head/blobs/${layer.digest}`;
      const cold = await w.edge.head(target);
      assert.equal(cold.headers['cache-status'], 'sampan; fwd=miss');
      assert.deepEqual(
        w.hub.log.map(({ method }) => method),
        ['HEAD'],
      );
      await w.edge.get(target);
      w.hub.log.length = 0;
      for (const headers of [{}, elsewhere]) {
        const warm = await w.edge.head(target, headers);
        assert.equal(warm.headers['cache-status'], 'sampan; hit');
        assert.equal(warm.headers['content-length'], String(length));
        assert.equal(warm.body.length, 0);
      }
      assert.deepEqual(w.hub.log, []);
    });

    test('two registries with the same path do not mix', async () => {
      const [one, two] = [imageOf('of the hub'), imageOf('of another')];
      w.hub.hold('same/path', one.item, 'latest');
      w.other.hold('same/path', two.item, 'latest');
      for (const headers of [{}, {}, elsewhere]) {
        const first = await w.edge.get('/v2/docker.io/same/path/manifests/latest', headers);
        const second = await w.edge.get('/v2/ghcr.io/same/path/manifests/latest', headers);
        assert.deepEqual([first.body, second.body], [one.item.body, two.item.body]);
        const [here, there] = ['docker.io', 'ghcr.io'].map((name) => `/v2/${name}/same/path/blobs/${one.layer.digest}`);
        assert.deepEqual((await w.edge.get(here!, headers)).body, one.bytes);
        assert.equal((await w.edge.get(there!, headers)).status, 404);
      }
    });
  });
}

test('what is kept comes behind the reply, which waits for nothing of it', async (t) => {
  const gate = new Gate();
  const hub = await startRegistry();
  const { item, layer, bytes } = imageOf('behind');
  hub.hold('library/behind', item);
  let answers = 0;
  hub.levers.bend = () => (answers++ === 1 ? { hold: { at: 50_000, gate } } : {});
  const edge = await startEdge({ access: 'open', registries: { 'docker.io': { endpoints: [hub.url] } } });
  t.after(() => Promise.all([edge.close(), hub.down()]));
  const target = `/v2/behind/blobs/${layer.digest}`;
  assert.deepEqual((await edge.get(target)).body, bytes);
  await gate.reached();
  assert.equal((await edge.get(target)).headers['cache-status'], 'sampan; fwd=miss');
  gate.open();
  let told: unknown;
  while (told !== 'sampan; hit') told = (await edge.get(target)).headers['cache-status'];
});
