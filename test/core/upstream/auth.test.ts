// Tokens that anybody can get, and logins that only their caller has.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import {
  type Asked,
  type Origin,
  bench,
  manifestBytes,
  nobody,
  repository,
  send,
  sendManifest,
  serve,
  signal,
} from './bench.ts';

const reference = { repository, target: parseTag('latest') };

interface Guard extends Origin {
  /** Tokens that are good for now. */
  readonly good: Set<string>;
  tokens(): Asked[];
  manifests(): Asked[];
}

/** A registry that wants a token of its own /token, which `grant` answers. */
async function guard(
  grant?: (request: IncomingMessage, response: ServerResponse, serial: number) => void,
  challenge?: string,
): Promise<Guard> {
  let serial = 0;
  const good = new Set<string>();
  const origin = await serve((request, response) => {
    if (request.url?.startsWith('/token')) {
      serial += 1;
      if (grant !== undefined) return grant(request, response, serial);
      good.add(`Bearer t${serial}`);
      return send(response, 200, {}, JSON.stringify({ token: `t${serial}`, expires_in: 300 }));
    }
    if (good.has(request.headers.authorization ?? '')) return sendManifest(request, response);
    const bearer = `Bearer realm="${origin.url}/token",service="test, \\"quoted\\"",scope="repository:library/alpine:pull"`;
    return send(response, 401, { 'www-authenticate': challenge ?? `Basic realm="x", ${bearer}` });
  });
  return {
    ...origin,
    good,
    tokens: () => origin.log.filter(({ url }) => url.startsWith('/token')),
    manifests: () => origin.log.filter(({ url }) => url.startsWith('/v2/')),
  };
}

function refusedWith(code: string, status: number, message: RegExp, headers: Record<string, string> = {}) {
  return (error: unknown) => {
    const { code: found, status: told, message: text, headers: carried } = error as Record<string, unknown>;
    assert.deepEqual({ found, told, carried }, { found: code, told: status, carried: headers });
    assert.match(String(text), message);
    return true;
  };
}

test('fifty who ask at once share one token', async () => {
  const registry = await guard();
  const { upstream } = bench({ endpoints: [registry.url] });
  const ask = () => upstream.resolve(reference, anonymous, signal);
  const all = await Promise.all(Array.from({ length: 50 }, ask));
  assert.ok(all.every((resolved) => resolved?.descriptor.size === manifestBytes.length));
  assert.equal(registry.tokens().length, 1);
  const asked = new URL(registry.tokens()[0]!.url, registry.url).searchParams;
  assert.deepEqual(
    [...asked],
    [
      ['service', 'test, "quoted"'],
      ['scope', 'repository:library/alpine:pull'],
    ],
  );
  assert.equal(registry.tokens()[0]!.headers['user-agent'], 'sampan/1.2.3');
});

test('who leaves does not take the token from those who stay', async () => {
  const waiting: ServerResponse[] = [];
  const registry = await guard((_request, response) => void waiting.push(response));
  const { upstream } = bench({ endpoints: [registry.url] });
  const leaving = new AbortController();
  const reason = new Error('the client has left');
  const left = upstream.resolve(reference, anonymous, leaving.signal);
  const stays = upstream.resolve(reference, anonymous, signal);
  while (registry.manifests().length < 2 || waiting.length === 0) await new Promise(setImmediate);
  leaving.abort(reason);
  await assert.rejects(left, reason);
  registry.good.add('Bearer t');
  send(waiting[0]!, 200, {}, '{"access_token":"t"}');
  assert.notEqual(await stays, undefined);
  assert.equal(waiting.length, 1);
});

test('a token is used until nine tenths of its life are over', async () => {
  const registry = await guard();
  const { upstream, clock } = bench({ endpoints: [registry.url] });
  await upstream.resolve(reference, anonymous, signal);
  clock.time += 269_999;
  await upstream.resolve(reference, anonymous, signal);
  assert.equal(registry.tokens().length, 1);
  clock.time += 1;
  await upstream.resolve(reference, anonymous, signal);
  assert.equal(registry.tokens().length, 2);
});

test('without a word on its life, or with a silly one, a token lives a minute', async () => {
  for (const life of [undefined, 1, 'long', -5]) {
    const registry = await guard((_request, response, serial) => {
      registry.good.add(`Bearer t${serial}`);
      send(response, 200, {}, JSON.stringify({ token: '', access_token: `t${serial}`, expires_in: life }));
    });
    const { upstream, clock } = bench({ endpoints: [registry.url] });
    await upstream.resolve(reference, anonymous, signal);
    clock.time += 53_999;
    await upstream.resolve(reference, anonymous, signal);
    assert.equal(registry.tokens().length, 1);
    clock.time += 1;
    await upstream.resolve(reference, anonymous, signal);
    assert.equal(registry.tokens().length, 2);
  }
});

test('another repository goes straight to the token', async () => {
  const registry = await guard();
  const { upstream, events } = bench({ endpoints: [registry.url] });
  await upstream.resolve(reference, anonymous, signal);
  registry.log.length = 0;
  events.length = 0;
  await upstream.resolve({ ...reference, repository: { ...repository, name: 'a/b' } }, anonymous, signal);
  assert.deepEqual(
    registry.log.map(({ method, url }) => `${method} ${url}`),
    ['GET /token?service=test%2C+%22quoted%22&scope=repository%3Aa%2Fb%3Apull', 'HEAD /v2/a/b/manifests/latest'],
  );
  assert.deepEqual(
    events.map((event) => event.kind === 'asked' && [event.what, event.status]),
    [
      ['token', 200],
      ['manifest', 200],
    ],
  );
});

test('a token that is refused is replaced once', async () => {
  const registry = await guard();
  const { upstream } = bench({ endpoints: [registry.url] });
  await upstream.resolve(reference, anonymous, signal);
  registry.good.clear();
  await upstream.resolve(reference, anonymous, signal);
  assert.equal(registry.tokens().length, 2);
});

test('a refusal that lasts is UNAUTHORIZED and carries the challenge, written anew', async () => {
  const registry = await guard((_request, response) => send(response, 200, {}, '{"token":"worthless"}'));
  const { upstream } = bench({ endpoints: [registry.url] });
  const challenge = `Bearer realm="${registry.url}/token",service="test, \\"quoted\\"",scope="repository:library/alpine:pull"`;
  await assert.rejects(
    upstream.resolve(reference, anonymous, signal),
    refusedWith('UNAUTHORIZED', 401, /answered 401/, { 'www-authenticate': challenge }),
  );
  assert.equal(registry.manifests().length, 2);
});

test('a caller’s login goes out as it is, in place of a token, and its refusal comes back with the challenge', async () => {
  const registry = await guard();
  const { upstream } = bench({ endpoints: [registry.url] });
  const caller = { address: '192.0.2.1', authorization: 'Basic YTpi' };
  await assert.rejects(
    upstream.resolve(reference, caller, signal),
    (error: { code?: string; headers?: Record<string, string> }) => {
      assert.equal(error.code, 'UNAUTHORIZED');
      assert.match(error.headers?.['www-authenticate'] ?? '', /^Bearer realm="http:/);
      return true;
    },
  );
  registry.good.add('Basic YTpi');
  assert.notEqual(await upstream.resolve(reference, caller, signal), undefined);
  assert.deepEqual(
    registry.log.map(({ headers }) => headers.authorization),
    ['Basic YTpi', 'Basic YTpi'],
  );
  assert.equal(registry.tokens().length, 0);
});

test('a realm elsewhere is never asked, nor shown to anybody', async () => {
  const hijacker = await serve((_request, response) => send(response, 200, {}, '{"token":"t"}'));
  const elsewhere = hijacker.url.replace('127.0.0.1', 'localhost');
  const registry = await guard(undefined, `Bearer realm="${elsewhere}/token?secret=1",service="x"`);
  const { upstream } = bench({ endpoints: [registry.url] });
  const told = new RegExp(`realms: \\["${elsewhere}"\\]`);
  for (const caller of [anonymous, { address: '', authorization: 'Basic YTpi' }]) {
    await assert.rejects(upstream.resolve(reference, caller, signal), (error: Error) => {
      assert.doesNotMatch(error.message, /secret/);
      return refusedWith('UNAUTHORIZED', 401, told)(error);
    });
  }
  assert.deepEqual(hijacker.log, []);
  await assert.rejects(
    bench({ endpoints: [registry.url], realms: [elsewhere] }).upstream.resolve(reference, anonymous, signal),
  );
  assert.deepEqual(
    hijacker.log.map(({ url }) => url),
    ['/token?secret=1&service=x&scope=repository%3Alibrary%2Falpine%3Apull'],
  );
});

test('challenges that cannot be followed are UNAUTHORIZED', async () => {
  for (const [challenge, message] of [
    ['Basic realm="x"', /user name and a password/],
    ['Bearer service="x"', /does not say where/],
    ['Bearer realm="/token"', /does not say where/],
    ['Bearer realm="file:///etc/passwd"', /file:\/\/ for a token/],
    ['nonsense "', /answered 401/],
  ] as const) {
    const registry = await guard(undefined, challenge);
    await assert.rejects(
      bench({ endpoints: [registry.url] }).upstream.resolve(reference, anonymous, signal),
      refusedWith('UNAUTHORIZED', 401, message),
    );
  }
});

test('what a token service answers is told apart', async () => {
  for (const [status, headers, body, expected] of [
    [429, { 'retry-after': '30' }, '', refusedWith('TOOMANYREQUESTS', 429, /answered 429/, { 'retry-after': '30' })],
    [401, {}, '', refusedWith('UNAUTHORIZED', 401, /answered 401/)],
    [403, {}, '', refusedWith('DENIED', 403, /answered 403/)],
    [500, {}, '', refusedWith('UNAVAILABLE', 503, /answered 500/)],
    [302, { location: 'https://evil.test/' }, '', refusedWith('UNAVAILABLE', 502, /answered 302/)],
    [200, {}, '<html>', refusedWith('UNAVAILABLE', 503, /without a token/)],
    [200, {}, '{"token":"t', refusedWith('UNAVAILABLE', 503, /without a token/)],
    [200, {}, '{"token":7}', refusedWith('UNAVAILABLE', 503, /without a token/)],
    [200, {}, JSON.stringify({ token: 'a\r\nb: c' }), refusedWith('UNAVAILABLE', 503, /without a token/)],
    [
      200,
      {},
      JSON.stringify({ token: 't', more: 'x'.repeat(1024 * 1024) }),
      refusedWith('UNAVAILABLE', 503, /without a token/),
    ],
    [200, { 'content-length': '100' }, '{"token":"t"}', refusedWith('UNAVAILABLE', 503, /cannot be reached/)],
  ] as const) {
    const registry = await guard((request, response) => {
      response
        .writeHead(status, headers)
        .end(body, () => void ('content-length' in headers && request.socket.destroy()));
    });
    const { upstream } = bench({ endpoints: [registry.url] });
    await assert.rejects(upstream.resolve(reference, anonymous, signal), expected, `${status} ${body.slice(0, 40)}`);
  }
});

test('a token service that is down is UNAVAILABLE, and once it has moved the registry is asked where to', async () => {
  const gone = await nobody();
  let challenge = `Bearer realm="${gone}/token"`;
  const registry = await serve((request, response) => {
    if (request.url?.startsWith('/token')) return send(response, 200, {}, '{"token":"t"}');
    if (request.headers.authorization === 'Bearer t') return sendManifest(request, response);
    return send(response, 401, { 'www-authenticate': challenge });
  });
  const { upstream } = bench({ endpoints: [registry.url] });
  await assert.rejects(
    upstream.resolve(reference, anonymous, signal),
    refusedWith('UNAVAILABLE', 503, /cannot be reached/),
  );
  challenge = `Bearer realm="${registry.url}/token"`;
  assert.notEqual(await upstream.resolve(reference, anonymous, signal), undefined);
});
