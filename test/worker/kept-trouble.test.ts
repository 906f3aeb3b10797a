// What the Worker keeps when something goes wrong: only whole bytes, only of an endpoint, and never at the cost of a pull.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Bend } from '../fakes/registry/bent.ts';
import { answer } from '../fakes/registry/levers.ts';
import { elsewhere, operationsOf, waiting } from './behind.ts';
import { imageOf, keptWorld, length } from './kept-world.ts';

/** The first answer is as it should be, and goes to the client; the second is what would be kept. */
function second(bend: Bend): () => Bend {
  let answers = 0;
  return () => (answers++ === 1 ? bend : {});
}

for (const bucket of [false, true]) {
  describe(bucket ? 'with a bucket' : 'with a cache alone', () => {
    const w = keptWorld({ bucket });

    for (const [what, bend] of [
      ['breaks off', { breaks: { at: 50_000, how: 'cut' } }],
      ['is reset', { breaks: { at: 50_000, how: 'reset' } }],
      ['ends too early and tells no length', { breaks: { at: 50_000, how: 'end' }, length: false }],
      ['tells no length', { length: false }],
      ['is longer than a moment ago', { claims: length + 1 }],
      ['is refused', { refusal: { status: 403 } }],
      // Only a bucket looks.
      ...(bucket ? [['has a wrong bit', { flip: 70_000 }] as const] : []),
    ] as const) {
      test(`what ${what} is not kept, and the client has what it asked for`, async () => {
        const { item, layer, bytes } = imageOf(what);
        w.hub.hold('library/bent', item);
        const target = `/v2/bent/blobs/${layer.digest}`;
        w.hub.levers.bend = second(bend);
        assert.deepEqual((await w.edge.get(target)).body, bytes);
        assert.equal(w.hub.log.length, 2);
        for (const headers of [{}, elsewhere]) {
          const { status, headers: told, body } = await w.edge.get(target, headers);
          assert.equal(status, 200);
          assert.match(String(told['cache-status']), /fwd=miss/);
          assert.deepEqual(body, bytes);
        }
      });
    }

    test('what a third party has is passed on and not kept', async () => {
      const { item, layer, bytes } = imageOf('third party');
      for (const each of [w.other, w.third]) each.hold('library/third', item, 'latest');
      const target = `/v2/mirrored.example/library/third/blobs/${layer.digest}`;
      await w.edge.get('/v2/mirrored.example/library/third/manifests/latest');
      w.other.levers.answers = [answer.unavailable(/blobs/)];
      for (const headers of [{}, {}, elsewhere]) {
        const { body, headers: told } = await w.edge.get(target, headers);
        assert.deepEqual(body, bytes);
        assert.match(String(told['cache-status']), /fwd=miss/);
      }
      assert.equal(w.third.log.length, 3);
    });
  });
}

describe('limits', () => {
  const w = keptWorld();

  test('what is larger than an object may be is passed on, and not fetched for keeping', async () => {
    const { item, layer } = imageOf('large');
    w.hub.hold('library/large', item);
    w.hub.levers.bend = () => ({ claims: 512_000_001 });
    const { headers, complete } = await w.edge.get(`/v2/large/blobs/${layer.digest}`);
    assert.equal(headers['cache-status'], 'sampan; fwd=miss');
    assert.equal(headers['content-length'], '512000001');
    assert.equal(complete, false);
    assert.equal(w.hub.log.length, 1);
  });
});

describe('an origin that is down', () => {
  for (const [how, levers] of [
    ['unreachable', undefined],
    ['answers 500', [answer.unavailable(/./, 500)]],
    ['answers 429', [answer.tooMany(/./)]],
  ] as const) {
    const w = keptWorld();
    test(`${how}: a digest and a tag that are kept are served, in any isolate`, async (t) => {
      const { item, layer, bytes } = imageOf(how);
      w.hub.hold('library/down', item, 'latest');
      const base = '/v2/looked.example/library/down';
      await w.edge.get(`${base}/manifests/latest`);
      await w.edge.get(`${base}/blobs/${layer.digest}`);
      if (levers === undefined) {
        await w.hub.down();
        t.after(() => w.hub.up());
      } else w.hub.levers.answers = [...levers];
      for (const headers of [elsewhere, {}]) {
        const tag = await w.edge.get(`${base}/manifests/latest`, headers);
        assert.equal(tag.status, 200);
        assert.equal(tag.headers['cache-status'], 'sampan; hit; detail=stale');
        assert.match(tag.headers.warning ?? '', /^299 /);
        assert.deepEqual(tag.body, item.body);
        assert.deepEqual((await w.edge.get(`${base}/manifests/${item.digest}`, headers)).body, item.body);
        const part = await w.edge.get(`${base}/blobs/${layer.digest}`, { ...headers, range: 'bytes=100-' });
        assert.equal(part.status, 206);
        assert.deepEqual(part.body, bytes.subarray(100));
      }
      const never = await w.edge.get('/v2/looked.example/library/never/manifests/latest', elsewhere);
      assert.equal(never.status, how === 'answers 429' ? 429 : 503);
    });
  }
});

for (const [what, standIn] of [
  ['throws', "caches.open = async () => { throw new Error('no cache'); };"],
  [
    'refuses every put',
    "caches.open = async () => ({ match: async () => undefined, put: async () => { throw new Error('413'); } });",
  ],
  [
    'has something else',
    "caches.open = async () => ({ match: async () => new Response('<p>', { status: 203 }), put: async (_, given) => void (await given.bytes()) });",
  ],
] as const) {
  describe(`a cache that ${what}`, () => {
    const w = keptWorld({ around: waiting(standIn) });
    test('costs no pull', async () => {
      const { item, layer, bytes } = imageOf(what);
      w.hub.hold('library/broken', item, 'latest');
      for (const headers of [{}, elsewhere]) {
        assert.deepEqual((await w.edge.get('/v2/broken/manifests/latest', headers)).body, item.body);
        const blob = await w.edge.get(`/v2/broken/blobs/${layer.digest}`, headers);
        assert.deepEqual(blob.body, bytes);
        assert.ok(operationsOf(blob) >= 0);
      }
    });
  });
}
