// Which requests of an intercepted client are the mirror's, and which go to the registry itself.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { second } from '../../core/mirror/world.ts';
import { host, intercepted } from './interception.ts';

const of = (seed: number) => image({ layers: [layerOf(randomBytes(seed, 3000))] });
const authorization = 'Bearer of-the-client';
const login = { headers: { authorization } };

describe('a pull', () => {
  it('is the mirror’s, whatever login the client shows, and the second time from here', async () => {
    const { registry, ask, hostAsked, asked, settled } = await intercepted();
    const { digest, body, blobs } = registry.hold('library/app', of(1), '1');
    const told = await ask('GET', '/v2/library/app/manifests/1', login);
    assert.deepEqual([told.status, told.body], [200, body]);
    const blob = `/v2/library/app/blobs/${blobs[0]?.digest}`;
    await ask('GET', blob, login);
    await settled();
    asked();
    const again = await ask('GET', blob, { headers: { authorization, range: 'bytes=10-19' } });
    assert.deepEqual([again.status, again.body.length], [206, 10]);
    assert.equal(again.headers['cache-status'], 'sampan; hit');
    const head = await ask('HEAD', `/v2/library/app/manifests/${digest}`, login);
    assert.deepEqual([head.status, head.headers['docker-content-digest']], [200, digest]);
    assert.deepEqual([asked(), hostAsked], [[], []]);
  });
});

describe('what is no pull', () => {
  const blob = `/v2/library/app/blobs/sha256:${'a'.repeat(64)}`;
  const others = [
    ['GET', '/v2/'],
    ['HEAD', blob],
    ['GET', '/token?scope=repository:library/app:pull'],
    ['POST', '/v2/library/app/blobs/uploads/?mount=sha256:1&from=library/other'],
    ['PATCH', '/v2/library/app/blobs/uploads/1?_state=x'],
    ['PUT', '/v2/library/app/manifests/1'],
    ['DELETE', blob],
    ['GET', '/v2/library/app/tags/list?n=2'],
    ['GET', '/v2/_catalog'],
    ['GET', '/v1/search?q=app'],
    ['GET', '/v2/library/app/manifests/1?platform=x'],
    ['GET', '/v2/app/manifests/1'],
    ['GET', '/v2/ghcr.io/app/manifests/1'],
    ['GET', '/anything/%2f/at/all'],
  ] as const;

  it('goes to the registry as it came, and its answer comes back as it is', async () => {
    const { ask, answers, hostAsked, registry } = await intercepted();
    registry.hold('library/app', of(1), '1');
    answers((_, response) =>
      response
        .writeHead(202, { 'x-own': ['1', '2'], 'WWW-Authenticate': 'Bearer realm="https://auth/token"' })
        .end('as it is'),
    );
    for (const [method, path] of others) {
      const told = await ask(method, path, { ...login, ...(method === 'PATCH' && { body: 'some bytes' }) });
      assert.equal(told.status, 202);
      assert.equal(told.headers['www-authenticate'], 'Bearer realm="https://auth/token"');
      assert.equal(told.headers['x-own'], '1, 2');
      if (method !== 'HEAD') assert.equal(told.body.toString(), 'as it is');
    }
    assert.deepEqual(
      hostAsked.map(({ method, url, headers, body }) => [method, url, headers.authorization, headers.via, body]),
      others.map(([method, path]) => [
        method,
        path,
        authorization,
        '1.1 sampan-test',
        method === 'PATCH' ? 'some bytes' : '',
      ]),
    );
  });

  it('goes without what is for one connection alone', async () => {
    const { ask, answers, hostAsked } = await intercepted();
    answers((_, response) =>
      response.writeHead(200, { 'proxy-authenticate': 'Basic', 'keep-alive': 'timeout=1' }).end(),
    );
    const headers = { connection: 'x-mine', 'x-mine': '1', te: 'trailers', 'proxy-authorization': 'x', 'x-other': '2' };
    const told = await ask('GET', '/v2/', { headers });
    const came = hostAsked[0]?.headers ?? assert.fail();
    assert.deepEqual(
      [came['x-mine'], came['te'], came['proxy-authorization'], came['x-other']],
      [undefined, undefined, undefined, '2'],
    );
    assert.equal(told.headers['proxy-authenticate'], undefined);
  });

  it('leads the client elsewhere, if the registry says so, and the proxy is told where', async () => {
    const { ask, answers, redirects, registry } = await intercepted();
    registry.levers.answers.push(answer.denied(/./));
    answers((_, response) => response.writeHead(307, { location: 'https://cdn.example.com/blob?signed=1' }).end());
    const told = await ask('GET', blob, login);
    assert.deepEqual([told.status, told.headers.location], [307, 'https://cdn.example.com/blob?signed=1']);
    assert.deepEqual(redirects, ['docker.io sent 192.0.2.7 to cdn.example.com']);
  });

  it('teaches the proxy no host by any other redirect, nor by what is none', async () => {
    const { ask, answers, redirects, registry } = await intercepted();
    registry.levers.answers.push(answer.denied(/./));
    let status = 302;
    answers((_, response) => response.writeHead(status, { location: 'https://evil.example/' }).end());
    await ask('GET', '/logout?to=https://evil.example/');
    await ask('DELETE', blob);
    await ask('GET', '/v2/library/app/tags/list');
    status = 401;
    await ask('GET', blob);
    assert.deepEqual(redirects, []);
  });
});

describe('what is not for everybody', () => {
  it('comes from the registry, by the login of the client, and from nowhere else', async () => {
    const { ask, answers, asked, registry, hostAsked, clock } = await intercepted();
    registry.levers.answers.push(answer.unauthorized(/./));
    answers(({ headers }, response) =>
      response.writeHead(headers.authorization === authorization ? 200 : 401).end('mine'),
    );
    const path = '/v2/acme/secret/manifests/1';
    assert.equal((await ask('GET', path, login)).body.toString(), 'mine');
    assert.equal((await ask('GET', path)).status, 401);
    assert.equal((await ask('GET', `/v2/acme/secret/blobs/sha256:${'b'.repeat(64)}`, login)).status, 200);
    assert.deepEqual(
      hostAsked.map(({ headers }) => headers.authorization),
      [authorization, undefined, authorization],
    );
    // Once for the minute in which it is remembered.
    assert.equal(asked().length, 1);
    clock.forward(61 * second);
    await ask('GET', path, login);
    assert.equal(asked().length, 1);
  });

  it('is no more than the one object that is not there', async () => {
    const { ask, answers, registry, hostAsked } = await intercepted();
    const { body } = registry.hold('library/app', of(1), '1');
    answers((_, response) => response.writeHead(404).end());
    assert.equal((await ask('GET', '/v2/library/app/manifests/missing', login)).status, 404);
    assert.deepEqual((await ask('GET', '/v2/library/app/manifests/1', login)).body, body);
    assert.equal(hostAsked.length, 1);
  });
});

describe('trouble of the mirror', () => {
  for (const status of [429, 500, 503]) {
    it(`is not the client’s, who gets ${status} only from the registry itself`, async () => {
      const { ask, answers, registry } = await intercepted();
      registry.levers.answers.push(status === 429 ? answer.tooMany(/./) : answer.unavailable(/./, status));
      answers((_, response) => response.writeHead(200).end('there'));
      assert.equal((await ask('GET', '/v2/library/app/manifests/1', login)).body.toString(), 'there');
    });
  }
});

describe('a push', () => {
  it('is followed by pulls of what it brought, at once', async () => {
    const { ask, answers, registry } = await intercepted();
    const [before, then] = [registry.hold('library/app', of(1), '1'), of(2)];
    const path = '/v2/library/app/manifests/1';
    assert.deepEqual((await ask('GET', path)).body, before.body);
    answers((_, response) => {
      registry.hold('library/app', then, '1');
      response.writeHead(201).end();
    });
    assert.equal((await ask('PUT', path, { ...login, body: 'a manifest' })).status, 201);
    assert.deepEqual((await ask('GET', path)).body, then.body);
  });

  it('that was refused changes nothing', async () => {
    const { ask, answers, registry, asked } = await intercepted();
    registry.hold('library/app', of(1), '1');
    const path = '/v2/library/app/manifests/1';
    await ask('GET', path);
    answers((_, response) => response.writeHead(401).end());
    await ask('PUT', path, { body: 'a manifest' });
    asked();
    await ask('GET', path);
    assert.deepEqual(asked(), []);
  });

  for (const [query, status] of [
    ['', 504],
    ['', 307],
    ['?ns=docker.io', 201],
    ['?x=%zz', 201],
  ] as const) {
    it(`may have changed the tag by PUT …/1${query}, if it is answered ${status}`, async () => {
      const { ask, answers, registry, asked } = await intercepted();
      registry.hold('library/app', of(1), '1');
      const path = '/v2/library/app/manifests/1';
      await ask('GET', path);
      answers((_, response) => response.writeHead(status).end());
      await ask('PUT', `${path}${query}`, { body: 'a manifest' });
      asked();
      await ask('GET', path);
      assert.deepEqual(asked(), [`HEAD ${path}`]);
    });
  }

  it('that deletes a manifest by its digest takes the tags with it', async () => {
    const { ask, answers, registry } = await intercepted();
    const { digest } = registry.hold('library/app', of(1), '1');
    const path = '/v2/library/app/manifests/1';
    await ask('GET', path);
    answers(({ method }, response) => {
      registry.drop('library/app', '1');
      registry.drop('library/app', digest);
      response.writeHead(method === 'DELETE' ? 202 : 404).end();
    });
    assert.equal((await ask('DELETE', `/v2/library/app/manifests/${digest}`)).status, 202);
    assert.equal((await ask('GET', path)).status, 404);
  });

  it('may name its tags in the query', async () => {
    const { ask, answers, registry, asked } = await intercepted();
    registry.hold('library/app', of(1), '1');
    await ask('GET', '/v2/library/app/manifests/1');
    answers((_, response) => response.writeHead(201).end());
    await ask('PUT', `/v2/library/app/manifests/sha256:${'c'.repeat(64)}?tag=1&tag=_*`, { body: 'a manifest' });
    asked();
    await ask('GET', '/v2/library/app/manifests/1');
    assert.deepEqual(asked(), ['HEAD /v2/library/app/manifests/1']);
  });

  it('is told by the registry itself what is there', async () => {
    const { ask, answers, registry, hostAsked } = await intercepted();
    registry.hold('library/app', of(1), '1');
    await ask('HEAD', '/v2/library/app/manifests/1');
    answers((_, response) => response.writeHead(404).end());
    assert.equal((await ask('HEAD', `/v2/library/app/blobs/sha256:${'a'.repeat(64)}`)).status, 404);
    assert.equal((await ask('HEAD', '/v2/library/app/manifests/1')).status, 404);
    assert.equal((await ask('GET', '/v2/library/app/manifests/1')).status, 200);
    assert.equal(hostAsked.length, 2);
  });
});

it('a request for another host than the connection was made to is misdirected', async () => {
  const { ask, hostAsked } = await intercepted();
  assert.equal((await ask('GET', '/v2/', { headers: { host: 'ghcr.io' } })).status, 421);
  assert.equal((await ask('GET', 'https://ghcr.io/v2/')).status, 400);
  assert.equal(hostAsked.length, 0);
  assert.equal((await ask('GET', '/v2/', { headers: { host: 'Registry-1.docker.io:443' } })).status, 404);
  assert.equal(hostAsked.length, 1);
});

it('every request has its line', async () => {
  const { ask, answers, events } = await intercepted();
  answers((_, response) => response.writeHead(200).end('four'));
  await ask('POST', '/v2/library/app/blobs/uploads/?secret=1', { ...login, body: 'x' });
  const served = events.find(({ kind }) => kind === 'served');
  assert.ok(served?.kind === 'served');
  const { method, path, what, registry, status, outcome, bytes, address, whole } = served;
  assert.deepEqual(
    { method, path, what, registry, status, outcome, bytes, address, whole },
    {
      method: 'POST',
      path: '/v2/library/app/blobs/uploads/',
      what: 'other',
      registry: 'docker.io',
      status: 200,
      outcome: 'pass',
      bytes: 4,
      address: '192.0.2.7',
      whole: true,
    },
  );
});

describe('the real host of a registry with a private authority', () => {
  it('is believed, and no other that has a certificate of that', async () => {
    const own = await intercepted(host, 'its own');
    own.answers((_, response) => void response.end('here'));
    assert.equal((await own.ask('GET', '/v2/')).status, 200);
    const foreign = await intercepted(host, 'of none');
    foreign.answers((_, response) => void response.end('here'));
    const { status, body } = await foreign.ask('GET', '/v2/');
    assert.equal(status, 503);
    assert.match(body.toString(), /shows a certificate that is not believed/);
    assert.deepEqual(foreign.hostAsked, []);
  });
});
