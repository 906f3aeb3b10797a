// Pulls through the Worker: which registry they lead to, what upstreams see of them, and where redirects may go.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf } from './edge.ts';
import { blobAt, bytes, hubImage, layer, otherImage, world } from './world.ts';

const w = world();

describe('every form of address leads to the right registry', () => {
  for (const [target, headers, found] of [
    ['/v2/alpine/manifests/latest', {}, hubImage],
    ['/v2/docker.io/alpine/manifests/latest', {}, hubImage],
    ['/docker.io/v2/library/alpine/manifests/latest', {}, hubImage],
    ['/v2/ghcr.io/library/alpine/manifests/latest', {}, otherImage],
    ['/v2/library/alpine/manifests/latest?ns=ghcr.io', {}, otherImage],
    ['/v2/library/alpine/manifests/latest', { host: 'ghcr.edge.example' }, otherImage],
    ['/v2/alpine/manifests/latest', { host: 'hub.edge.example' }, hubImage],
    ['/v2/library/alpine/manifests/latest', { host: 'GHCR.Edge.example:80' }, otherImage],
    ['/v2/docker.io/alpine/manifests/latest', { host: 'ghcr.edge.example' }, hubImage],
  ] as const) {
    test(`${'host' in headers ? headers.host : ''}${target}`, async () => {
      const { status, body } = await w.edge.get(target, headers);
      assert.equal(status, 200);
      assert.deepEqual(body, found.body);
    });
  }

  test('what is not configured is dialled by nobody', async () => {
    const { host } = new URL(w.cdn.url);
    for (const target of [`/v2/library/alpine/manifests/latest?ns=${host}`, `/v2/${host}/a/manifests/latest`]) {
      assert.equal(errorOf(await w.edge.get(target)).code, 'NAME_UNKNOWN');
    }
    assert.deepEqual(w.cdn.log, []);
  });
});

describe('what upstreams see', () => {
  test('is made of a list of headers, and nothing of the client', async () => {
    await w.edge.get(blobAt, {
      cookie: 'a=b',
      'x-forwarded-for': '203.0.113.9',
      'user-agent': 'docker',
      accept: 'text/html',
    });
    const [asked] = w.hub.log;
    for (const name of ['cookie', 'x-forwarded-for', 'accept', 'if-none-match', 'range']) {
      // The local stand-in for Cloudflare's network adds a wildcard of its own.
      assert.ok([undefined, '*/*'].includes(asked?.headers[name] as string | undefined), name);
    }
    assert.equal(asked?.headers['user-agent'], 'sampan/0.1.0');
    assert.equal(asked.headers['accept-encoding'], 'identity');
  });

  test('a client’s login goes to its registry, and to nobody who redirects', async () => {
    w.hub.levers.redirect = w.cdn.url;
    const { status, body } = await w.edge.get(blobAt, { authorization: 'Bearer of-the-client' });
    assert.equal(status, 200);
    assert.deepEqual(body, bytes);
    assert.equal(w.hub.log[0]?.headers.authorization, 'Bearer of-the-client');
    assert.equal(w.cdn.log.length, 1);
    assert.equal(w.cdn.log[0]?.headers.authorization, undefined);
    await w.edge.get('/v2/ghcr.io/library/alpine/manifests/latest');
    assert.equal(
      w.other.log.some(({ headers }) => headers.authorization !== undefined),
      false,
    );
  });

  test('a token of one registry is never shown to another, and neither to a CDN', async () => {
    w.hub.levers.token = { expiresIn: 300 };
    w.hub.levers.redirect = w.cdn.url;
    await w.edge.get(blobAt);
    await w.edge.get('/v2/ghcr.io/library/alpine/manifests/latest');
    assert.ok(w.hub.log.some(({ headers }) => headers.authorization?.startsWith('Bearer ')));
    assert.equal(
      [...w.cdn.log, ...w.other.log].some(({ headers }) => headers.authorization !== undefined),
      false,
    );
  });

  test('a token is asked for once, and shown by later requests at once', async () => {
    w.hub.levers.token = { expiresIn: 300 };
    await w.edge.head('/v2/alpine/manifests/latest');
    w.hub.log.length = 0;
    await w.edge.get(`/v2/alpine/manifests/${hubImage.digest}`);
    await w.edge.get(blobAt);
    await w.edge.get(blobAt);
    assert.deepEqual(w.hub.asked('/token'), []);
  });
});

describe('redirects', () => {
  test('a HEAD stays a HEAD all the way', async () => {
    w.hub.levers.redirect = w.cdn.url;
    const { status, headers } = await w.edge.head(blobAt);
    assert.equal(status, 200);
    assert.equal(headers['content-length'], String(bytes.length));
    assert.deepEqual(
      [...w.hub.log, ...w.cdn.log].map(({ method }) => method),
      ['HEAD', 'HEAD'],
    );
  });

  test('the HEAD of a manifest stays one through redirects', async () => {
    const path = '/v2/library/hopping/manifests';
    w.hub.hold('library/hopping', hubImage, 'latest');
    const hops = [/manifests\/latest$/, /manifests\/latest\?hop=1$/];
    w.hub.levers.answers = hops.map((hop, at) => ({
      path: hop,
      status: 307,
      headers: { location: `${path}/latest?hop=${at + 1}` },
    }));
    const { status, headers, body } = await w.edge.head(`${path}/latest`);
    assert.deepEqual([status, body.length], [200, 0]);
    assert.equal(headers['docker-content-digest'], hubImage.digest);
    assert.deepEqual(
      w.hub.log.filter((each) => each.path.includes('hopping')).map(({ method }) => method),
      ['HEAD', 'HEAD', 'HEAD'],
    );
  });

  test('a range is answered with 206 by whom it is redirected to', async () => {
    w.hub.levers.redirect = w.cdn.url;
    const { status, headers, body } = await w.edge.get(blobAt, { range: 'bytes=100-' });
    assert.equal(status, 206);
    assert.equal(headers['content-range'], `bytes 100-${bytes.length - 1}/${bytes.length}`);
    assert.equal(headers['content-length'], String(bytes.length - 100));
    assert.deepEqual(body, bytes.subarray(100));
    assert.equal(w.cdn.log[0]?.headers.range, 'bytes=100-');
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`relative and chained ones are followed: ${status}`, async () => {
      const to = (location: string, path: RegExp) => ({ path, status, headers: { location } });
      w.hub.levers.answers = [
        to('../../../elsewhere?signed=1', /\/blobs\//),
        to(`${w.cdn.url}/first`, /^\/v2\/elsewhere/),
      ];
      w.cdn.levers.answers = [to(`${w.farther.url}/${layer.digest}`, /^\/first/)];
      const { status: told, body } = await w.edge.get(blobAt);
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
      w.hub.levers.answers = [{ path: /\/blobs\//, status: 307, headers: { location } }];
      const refused = await w.edge.get(blobAt);
      assert.equal(refused.status, 502);
      assert.equal(errorOf(refused).code, 'UNAVAILABLE');
    });
  }

  test('they end after five hops', async () => {
    w.hub.levers.answers = [{ path: /\/blobs\//, status: 307, headers: { location: blobAt } }];
    assert.equal((await w.edge.get(blobAt)).status, 502);
    assert.equal(w.hub.log.length, 6);
  });

  test('a Location where there is no redirect is nobody’s business', async () => {
    w.hub.levers.answers = [{ path: /\/blobs\//, status: 202, headers: { location: `${w.cdn.url}/${layer.digest}` } }];
    assert.equal((await w.edge.get(blobAt)).status, 502);
    assert.deepEqual(w.cdn.log, []);
  });
});
