// Pulls through the Worker: what upstreams see of them, and what comes back.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type FakeCdn, startCdn } from '../fakes/registry/cdn.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { answer, noBlobLevers, noLevers } from '../fakes/registry/levers.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { type Edge, errorOf, startEdge } from './edge.ts';

const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));
const layer = layerOf(bytes);
const hubImage = image({ layers: [layer] });
const otherImage = image({ layers: [layerOf(Buffer.from('of another registry'))] });
const blobAt = `/v2/library/alpine/blobs/${layer.digest}`;

let hub: FakeRegistry;
let other: FakeRegistry;
let second: FakeRegistry;
let cdn: FakeCdn;
let farther: FakeCdn;
let edge: Edge;

before(async () => {
  [hub, other, second] = [await startRegistry(), await startRegistry(), await startRegistry()];
  [cdn, farther] = [await startCdn(hub), await startCdn(hub)];
  for (const registry of [hub, second]) registry.hold('library/alpine', hubImage, 'latest');
  other.hold('library/alpine', otherImage, 'latest');
  const redirects = [cdn.url, farther.url];
  edge = await startEdge({
    access: 'open',
    registries: {
      'docker.io': { endpoints: [hub.url], redirects },
      'ghcr.io': { endpoints: [other.url] },
      'limited.example': { endpoints: [hub.url, second.url] },
    },
    hosts: { 'ghcr.edge.example': 'ghcr.io', 'hub.edge.example': 'docker.io' },
  });
});
after(() =>
  Promise.all([edge, hub, other, second, cdn, farther].map((each) => ('close' in each ? each.close() : each.down()))),
);

beforeEach(() => {
  for (const registry of [hub, other, second]) Object.assign(registry.levers, noLevers());
  for (const each of [cdn, farther]) Object.assign(each.levers, noBlobLevers());
  for (const each of [hub, other, second, cdn, farther]) each.log.length = 0;
});

describe('every form of address leads to the right registry', () => {
  for (const [target, headers, found] of [
    ['/v2/alpine/manifests/latest', {}, hubImage],
    ['/v2/docker.io/alpine/manifests/latest', {}, hubImage],
    ['/docker.io/v2/library/alpine/manifests/latest', {}, hubImage],
    ['/v2/ghcr.io/library/alpine/manifests/latest', {}, otherImage],
    ['/v2/library/alpine/manifests/latest?ns=ghcr.io', {}, otherImage],
    ['/v2/library/alpine/manifests/latest', { host: 'ghcr.edge.example' }, otherImage],
    ['/v2/alpine/manifests/latest', { host: 'hub.edge.example' }, hubImage],
    ['/v2/docker.io/alpine/manifests/latest', { host: 'ghcr.edge.example' }, hubImage],
  ] as const) {
    test(`${'host' in headers ? headers.host : ''}${target}`, async () => {
      const { status, body } = await edge.get(target, headers);
      assert.equal(status, 200);
      assert.deepEqual(body, found.body);
    });
  }

  test('what is not configured is dialled by nobody', async () => {
    const { host } = new URL(cdn.url);
    for (const target of [`/v2/library/alpine/manifests/latest?ns=${host}`, `/v2/${host}/a/manifests/latest`]) {
      assert.equal(errorOf(await edge.get(target)).code, 'NAME_UNKNOWN');
    }
    assert.deepEqual(cdn.log, []);
  });
});

describe('what upstreams see', () => {
  test('is made of a list of headers, and nothing of the client', async () => {
    await edge.get(blobAt, {
      cookie: 'a=b',
      'x-forwarded-for': '203.0.113.9',
      'user-agent': 'docker',
      accept: 'text/html',
    });
    const [asked] = hub.log;
    for (const name of ['cookie', 'x-forwarded-for', 'accept', 'if-none-match', 'range']) {
      // The local stand-in for Cloudflare's network adds a wildcard of its own.
      assert.ok([undefined, '*/*'].includes(asked?.headers[name] as string | undefined), name);
    }
    assert.equal(asked?.headers['user-agent'], 'sampan/0.1.0');
    assert.equal(asked.headers['accept-encoding'], 'identity');
  });

  test('a client’s login goes to its registry, and to nobody who redirects', async () => {
    hub.levers.redirect = cdn.url;
    const { status, body } = await edge.get(blobAt, { authorization: 'Bearer of-the-client' });
    assert.equal(status, 200);
    assert.deepEqual(body, bytes);
    assert.equal(hub.log[0]?.headers.authorization, 'Bearer of-the-client');
    assert.equal(cdn.log.length, 1);
    assert.equal(cdn.log[0]?.headers.authorization, undefined);
    await edge.get('/v2/ghcr.io/library/alpine/manifests/latest');
    assert.equal(
      other.log.some(({ headers }) => headers.authorization !== undefined),
      false,
    );
  });

  test('a token of one registry is never shown to another, and neither to a CDN', async () => {
    hub.levers.token = { expiresIn: 300 };
    hub.levers.redirect = cdn.url;
    await edge.get(blobAt);
    await edge.get('/v2/ghcr.io/library/alpine/manifests/latest');
    assert.ok(hub.log.some(({ headers }) => headers.authorization?.startsWith('Bearer ')));
    assert.equal(
      [...cdn.log, ...other.log].some(({ headers }) => headers.authorization !== undefined),
      false,
    );
  });

  test('a token is asked for once, and shown by later requests at once', async () => {
    hub.levers.token = { expiresIn: 300 };
    await edge.head('/v2/alpine/manifests/latest');
    hub.log.length = 0;
    await edge.get(`/v2/alpine/manifests/${hubImage.digest}`);
    await edge.get(blobAt);
    await edge.get(blobAt);
    assert.deepEqual(hub.asked('/token'), []);
  });
});

describe('redirects', () => {
  test('a HEAD stays a HEAD all the way', async () => {
    hub.levers.redirect = cdn.url;
    const { status, headers } = await edge.head(blobAt);
    assert.equal(status, 200);
    assert.equal(headers['content-length'], String(bytes.length));
    assert.deepEqual(
      [...hub.log, ...cdn.log].map(({ method }) => method),
      ['HEAD', 'HEAD'],
    );
  });

  test('a range is answered with 206 by whom it is redirected to', async () => {
    hub.levers.redirect = cdn.url;
    const { status, headers, body } = await edge.get(blobAt, { range: 'bytes=100-' });
    assert.equal(status, 206);
    assert.equal(headers['content-range'], `bytes 100-${bytes.length - 1}/${bytes.length}`);
    assert.equal(headers['content-length'], String(bytes.length - 100));
    assert.deepEqual(body, bytes.subarray(100));
    assert.equal(cdn.log[0]?.headers.range, 'bytes=100-');
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`relative and chained ones are followed: ${status}`, async () => {
      const to = (location: string, path: RegExp) => ({ path, status, headers: { location } });
      hub.levers.answers = [to('../../../elsewhere?signed=1', /\/blobs\//), to(`${cdn.url}/first`, /^\/v2\/elsewhere/)];
      cdn.levers.answers = [to(`${farther.url}/${layer.digest}`, /^\/first/)];
      const { status: told, body } = await edge.get(blobAt);
      assert.equal(told, 200);
      assert.deepEqual(body, bytes);
    });
  }

  for (const [what, location] of [
    ['an address', 'https://192.0.2.7/blob'],
    ['an address of IPv6', 'https://[2001:db8::7]/blob'],
    ['no TLS', 'http://cdn.invalid/blob'],
    ['another port', 'https://cdn.invalid:8443/blob'],
    ['another scheme', 'file:///etc/passwd'],
  ] as const) {
    test(`none to ${what} is followed`, async () => {
      hub.levers.answers = [{ path: /\/blobs\//, status: 307, headers: { location } }];
      const refused = await edge.get(blobAt);
      assert.equal(refused.status, 502);
      assert.equal(errorOf(refused).code, 'UNAVAILABLE');
    });
  }

  test('they end after five hops', async () => {
    hub.levers.answers = [{ path: /\/blobs\//, status: 307, headers: { location: blobAt } }];
    assert.equal((await edge.get(blobAt)).status, 502);
    assert.equal(hub.log.length, 6);
  });

  test('a Location where there is no redirect is nobody’s business', async () => {
    hub.levers.answers = [{ path: /\/blobs\//, status: 202, headers: { location: `${cdn.url}/${layer.digest}` } }];
    assert.equal((await edge.get(blobAt)).status, 502);
    assert.deepEqual(cdn.log, []);
  });
});

describe('blobs', () => {
  test('an upstream that knows no ranges is passed on as it answers', async () => {
    hub.levers.ranges = false;
    const { status, headers, body } = await edge.get(blobAt, { range: 'bytes=100-' });
    assert.equal(status, 200);
    assert.equal(headers['content-range'], undefined);
    assert.deepEqual(body, bytes);
  });

  test('If-Range that names another digest makes the range void', async () => {
    const { status } = await edge.get(blobAt, { range: 'bytes=100-', 'if-range': '"sha256:other"' });
    assert.equal(status, 200);
    assert.equal(hub.log[0]?.headers.range, undefined);
  });

  test('who has it already is told so, for a HEAD upstream', async () => {
    const { status, body } = await edge.get(blobAt, { 'if-none-match': `"${layer.digest}"` });
    assert.equal(status, 304);
    assert.equal(body.length, 0);
    assert.deepEqual(
      hub.log.map(({ method }) => method),
      ['HEAD'],
    );
  });

  test('one without a length comes without one', async () => {
    hub.levers.contentLength = false;
    const { status, headers, body } = await edge.get(blobAt);
    assert.equal(status, 200);
    assert.equal(headers['content-length'], undefined);
    assert.deepEqual(body, bytes);
  });

  test('one that breaks off breaks off, and never looks whole', async () => {
    hub.levers.breakOff = { after: 50_000, times: 1 };
    const { complete } = await edge.get(blobAt);
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
      Object.assign(hub.levers, { answers: [...levers.answers] });
      const refused = await edge.get(blobAt, { range: 'bytes=100-' });
      assert.equal(refused.status, 502);
      assert.equal(errorOf(refused).code, 'UNAVAILABLE');
    });
  }
});

describe('trouble', () => {
  test('a 429 at the first endpoint is answered by the second, and remembered', async () => {
    hub.levers.answers = [answer.tooMany(/./)];
    for (const asked of ['manifests/latest', `blobs/${layer.digest}`]) {
      const { status } = await edge.get(`/v2/limited.example/library/alpine/${asked}`);
      assert.equal(status, 200);
    }
    assert.equal(hub.log.length, 1);
  });

  test('a 429 of all stays one, with Retry-After, and says who limits whom', async () => {
    const limited = answer.tooMany(/./, '17');
    other.levers.answers = [{ ...limited, headers: { ...limited.headers, 'docker-ratelimit-source': '192.0.2.1' } }];
    const refused = await edge.get('/v2/ghcr.io/library/busy/manifests/latest');
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '17');
    const { host } = new URL(other.url);
    assert.deepEqual(errorOf(refused).detail, { limitedBy: host, source: '192.0.2.1' });
  });

  test('an upstream that is down is a 503 in the words of a registry, and no stack', async () => {
    await second.down();
    hub.levers.answers = [answer.unavailable(/./)];
    const refused = await edge.get('/v2/limited.example/library/down/manifests/latest');
    await second.up();
    assert.equal(refused.status, 503);
    assert.equal(refused.headers['docker-distribution-api-version'], 'registry/2.0');
    assert.doesNotMatch(refused.body.toString(), /\bat \w|node_modules|\.ts:/);
  });

  test('nothing may be kept by whoever is in between', async () => {
    for (const target of ['/', '/v2/', '/v2/alpine/manifests/latest', blobAt, '/v2/nope/manifests/x', '/nonsense']) {
      const { headers } = await edge.get(target);
      assert.match(headers['cache-control'] ?? '', /no-store/, target);
      assert.equal(headers['access-control-allow-origin'], undefined, target);
    }
  });
});
