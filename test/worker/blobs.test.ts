// What comes back through the Worker when an upstream differs, lies, limits or is down.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer } from '../fakes/registry/levers.ts';
import { errorOf } from './edge.ts';
import { blobAt, bytes, hubImage, layer, world } from './world.ts';

const w = world();

describe('blobs', () => {
  test('an upstream that knows no ranges is passed on as it answers', async () => {
    w.hub.levers.ranges = false;
    const { status, headers, body } = await w.edge.get(blobAt, { range: 'bytes=100-' });
    assert.equal(status, 200);
    assert.equal(headers['content-range'], undefined);
    assert.deepEqual(body, bytes);
  });

  test('If-Range that names another digest makes the range void', async () => {
    const { status } = await w.edge.get(blobAt, { range: 'bytes=100-', 'if-range': '"sha256:other"' });
    assert.equal(status, 200);
    assert.equal(w.hub.log[0]?.headers.range, undefined);
  });

  test('who has it already is told so, for a HEAD upstream', async () => {
    w.hub.hold('library/asked', hubImage);
    const target = `/v2/asked/blobs/${layer.digest}`;
    const { status, body } = await w.edge.get(target, { 'if-none-match': `"${layer.digest}"` });
    assert.equal(status, 304);
    assert.equal(body.length, 0);
    assert.deepEqual(
      w.hub.log.map(({ method }) => method),
      ['HEAD'],
    );
  });

  test('one without a length comes without one', async () => {
    w.hub.levers.contentLength = false;
    const { status, headers, body } = await w.edge.get(blobAt);
    assert.equal(status, 200);
    assert.equal(headers['content-length'], undefined);
    assert.deepEqual(body, bytes);
  });

  test('one that breaks off breaks off, and never looks whole', async () => {
    w.hub.levers.breakOff = { after: 50_000, times: 1 };
    const { complete } = await w.edge.get(blobAt);
    assert.equal(complete, false);
  });

  for (const [what, levers] of [
    ['a page', { answers: [answer.html(/\/blobs\//)] }],
    ['nothing', { answers: [{ path: /\/blobs\//, status: 200 }] }],
    [
      'another part',
      {
        answers: [{ path: /\/blobs\//, status: 206, headers: { 'content-range': 'bytes 0-9/20' }, body: '0123456789' }],
      },
    ],
    [
      'an encoded body',
      { answers: [{ path: /\/blobs\//, status: 200, headers: { 'content-encoding': 'br' }, body: 'x' }] },
    ],
  ] as const) {
    test(`${what} in place of one is refused`, async () => {
      Object.assign(w.hub.levers, { answers: [...levers.answers] });
      const refused = await w.edge.get(blobAt, { range: 'bytes=100-' });
      assert.equal(refused.status, 502);
      assert.equal(errorOf(refused).code, 'UNAVAILABLE');
    });
  }
});

describe('trouble', () => {
  test('a 429 at the first endpoint is answered by the second, and remembered', async () => {
    w.hub.levers.answers = [answer.tooMany(/./)];
    for (const asked of ['manifests/latest', `blobs/${layer.digest}`]) {
      const { status } = await w.edge.get(`/v2/limited.example/library/alpine/${asked}`);
      assert.equal(status, 200);
    }
    assert.equal(w.hub.log.length, 1);
  });

  test('a 429 of all stays one, with Retry-After, and says who limits whom', async () => {
    const limited = answer.tooMany(/./, '17');
    w.other.levers.answers = [{ ...limited, headers: { ...limited.headers, 'docker-ratelimit-source': '192.0.2.1' } }];
    const refused = await w.edge.get('/v2/ghcr.io/library/busy/manifests/latest');
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '17');
    const { host } = new URL(w.other.url);
    assert.deepEqual(errorOf(refused).detail, { limitedBy: host, source: '192.0.2.1' });
  });

  test('a third party is asked for what is known to be public, and never with a login or for a name that nobody vouched for', async () => {
    const at = `/v2/mirrored.example/library/alpine/blobs/${layer.digest}`;
    w.hub.levers.answers = [answer.unavailable(/./)];
    assert.equal((await w.edge.get(at)).status, 503);
    assert.deepEqual(w.second.log, []);

    w.hub.levers.answers = [answer.unavailable(/blobs/)];
    assert.equal((await w.edge.get('/v2/mirrored.example/library/alpine/manifests/latest')).status, 200);
    assert.deepEqual((await w.edge.get(at)).body, bytes);
    assert.equal(w.second.log.length, 1);
    const own = `/v2/library/alpine/blobs/${layer.digest}?ns=mirrored.example`;
    assert.equal((await w.edge.get(own, { authorization: 'Bearer mine' })).status, 503);
    assert.equal(w.second.log.length, 1);
  });

  test('an upstream that is down is a 503 in the words of a registry, and no stack', async () => {
    await w.second.down();
    w.hub.levers.answers = [answer.unavailable(/./)];
    const refused = await w.edge.get('/v2/limited.example/library/down/manifests/latest');
    await w.second.up();
    assert.equal(refused.status, 503);
    assert.equal(refused.headers['docker-distribution-api-version'], 'registry/2.0');
    assert.doesNotMatch(refused.body.toString(), /\bat \w|node_modules|\.ts:/);
  });

  test('nothing may be kept by whoever is in between', async () => {
    for (const target of ['/', '/v2/', '/v2/alpine/manifests/latest', blobAt, '/v2/nope/manifests/x', '/nonsense']) {
      const { headers } = await w.edge.get(target);
      assert.match(headers['cache-control'] ?? '', /no-store/, target);
      assert.equal(headers['access-control-allow-origin'], undefined, target);
    }
  });
});
