import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Caller } from '../../../src/core/access/caller.ts';
import type { Reply } from '../../../src/core/mirror/reply.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import type { Pull } from '../../../src/core/oci/pull.ts';
import { isLoopbackHost } from '../../../src/node/config/address.ts';
import type { Page } from '../../../src/node/http/pages.ts';
import { ask, blobPath, bytesReply, exchange, RawClient, serve } from './scripted-server.ts';

const get = `GET ${blobPath} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ok = async (): Promise<Reply> => bytesReply('ok');
const never = async (): Promise<Reply> => assert.fail('nothing is pulled');

test('a pull is handed on with its headers and the address and login of whoever asks', async (context) => {
  const seen: { pull: Pull; caller: Caller }[] = [];
  const { port, event } = await serve(context, async (pull, caller) => {
    seen.push({ pull, caller });
    return bytesReply('ok');
  });
  const answer = await ask(port, `${blobPath}?ns=docker.io`, {
    headers: {
      range: 'bytes=5-',
      'if-none-match': '"x"',
      'if-range': '"y"',
      authorization: 'Bearer secret',
      'x-forwarded-for': '10.9.9.9',
    },
  });
  assert.equal(answer.body.toString(), 'ok');
  assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
  const [{ pull, caller }] = seen as [{ pull: Pull; caller: Caller }];
  assert.ok(pull.kind === 'blob');
  assert.deepEqual(pull.range, { kind: 'from', offset: 5 });
  assert.deepEqual(pull.conditions, { ifNoneMatch: '"x"', ifRange: '"y"' });
  assert.deepEqual(caller, { address: '127.0.0.1', authorization: 'Bearer secret' });
  assert.deepEqual(await event('served'), {
    kind: 'served',
    method: 'GET',
    path: blobPath,
    what: 'blob',
    registry: 'docker.io',
    status: 200,
    outcome: 'hit',
    bytes: 2,
    poured: 0,
    ms: 0,
    address: '127.0.0.1',
    tls: 'none',
    whole: true,
  });
});

test('an IPv4 client of an IPv6 listener has its IPv4 address', async (context) => {
  const addresses: string[] = [];
  const pull = async (_pull: Pull, { address }: Caller): Promise<Reply> => {
    addresses.push(address);
    return bytesReply('ok');
  };
  const { port } = await serve(context, pull, {}, '::ffff:127.0.0.1');
  await ask(port, blobPath);
  assert.deepEqual(addresses, ['127.0.0.1']);
});

test('what is neither GET nor HEAD is 405 on every path, before anything else is looked at', async (context) => {
  const { port } = await serve(context, never, { ready: () => assert.fail(), admin: () => assert.fail() });
  for (const path of [
    '/v2/a/blobs/uploads/',
    '/v2/',
    '/healthz',
    '/readyz',
    '/',
    '/metrics',
    '/v2/%ff/..',
    '/nowhere',
  ]) {
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, headers, body } = await ask(port, path, { method });
      assert.equal(status, 405);
      assert.equal(headers.allow, 'GET, HEAD');
      assert.equal(headers.connection, 'close');
      assert.equal(headers['content-type'], 'application/json');
      assert.match(body.toString(), /"code":"UNSUPPORTED"/);
    }
  }
});

test('a push that asks first whether to go on is not told so', async (context) => {
  const { port } = await serve(context, never);
  const text = await exchange(
    context,
    port,
    'PUT /v2/a/manifests/b HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 405 /);
  assert.doesNotMatch(text, /100 Continue/);
});

test('an expectation of a pull changes nothing', async (context) => {
  const { port } = await serve(context, ok);
  for (const expect of ['100-continue', 'a miracle']) {
    const text = await exchange(
      context,
      port,
      `GET ${blobPath} HTTP/1.1\r\nHost: a\r\nExpect: ${expect}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\nok$/);
  }
});

test('the body of a push is not waited for, and the connection does not survive it', async (context) => {
  const { port } = await serve(context, never);
  const text = await exchange(
    context,
    port,
    'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart',
  );
  assert.match(text, /^HTTP\/1\.1 405 /);
});

test('a pull with a body is 400, and what follows the body is no request', async (context) => {
  const { port } = await serve(context, never);
  for (const head of ['Content-Length: 5', 'Transfer-Encoding: chunked']) {
    const text = await exchange(context, port, `GET ${blobPath} HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n${get}`);
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.equal(text.split('HTTP/1.1 ').length, 2);
  }
});

test('whether the process lives is told always, whether it is ready only when it is', async (context) => {
  let ready = false;
  const { port, event } = await serve(context, never, { ready: () => ready, adminHere: false });
  assert.equal((await ask(port, '/healthz?x=1')).body.toString(), 'ok\n');
  assert.equal((await ask(port, '/readyz')).status, 503);
  ready = true;
  assert.equal((await ask(port, '/readyz')).status, 200);
  const { what, path, registry } = await event('served');
  assert.deepEqual({ what, path, registry }, { what: 'page', path: '/healthz', registry: undefined });
});

test('the pages of the administrator are shown where they may be, and nowhere else', async (context) => {
  const page = { status: 200, type: 'text/plain', body: 'pulls 1' };
  const admin = async (path: string): Promise<Page | undefined> => (path === '/metrics' ? page : undefined);
  const here = await serve(context, never, { admin });
  const shown = await ask(here.port, '/metrics');
  assert.equal(shown.body.toString(), 'pulls 1');
  assert.equal(shown.headers['content-type'], 'text/plain');
  assert.equal((await ask(here.port, '/_sampan/nothing')).status, 404);

  const elsewhere = await serve(context, never, { admin: () => assert.fail(), adminHere: false });
  for (const path of ['/', '/metrics', '/metrics?x', '/_sampan/status.json', 'http://a/metrics', 'http://a', '?']) {
    const refused = await exchange(
      context,
      elsewhere.port,
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    assert.match(refused, path === '?' ? /^HTTP\/1\.1 400 / : /^HTTP\/1\.1 403 [^]*admin\.listen/);
  }
});

test('who was led here under another name sees the pages that are for all, and no other', async (context) => {
  const admin = async (): Promise<Page> => ({ status: 200, type: 'text/plain', body: 'private' });
  const { port } = await serve(context, never, { admin, adminFor: isLoopbackHost });
  const status = async (path: string, host: string): Promise<number> =>
    (await ask(port, path, { headers: { host } })).status;
  const ours = ['localhost', 'LOCALHOST:5050', '127.0.0.1', '127.9.9.9:1', '[::1]', '[::1]:5050'];
  for (const host of ours) assert.equal(await status('/metrics', host), 200, host);
  const others = [
    'rebind.example',
    'rebind.example:5050',
    '127.0.0.1.example',
    '10.0.0.1',
    'localhost.example',
    'a b',
    ':80',
  ];
  for (const host of others) {
    for (const path of ['/', '/metrics', '/_sampan/status.json']) assert.equal(await status(path, host), 403, host);
    for (const path of ['/healthz', '/readyz']) assert.equal(await status(path, host), 200, host);
  }
  const nameless = await exchange(context, port, 'GET /metrics HTTP/1.0\r\n\r\n');
  assert.match(nameless, /^HTTP\/1\.1 403 /);
});

test('a RegistryError is told as it is, with its headers; HEAD gets the head alone', async (context) => {
  const headers = { 'www-authenticate': ['Bearer realm="https://a/"', 'Basic realm="a"'] };
  const error = new RegistryError('UNAUTHORIZED', 'who are you?', { headers });
  const { port, events } = await serve(context, () => Promise.reject(error));
  const answer = await ask(port, blobPath);
  assert.equal(answer.status, 401);
  assert.equal(answer.rawHeaders.filter((name) => name === 'www-authenticate').length, 2);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.body.toString(), error.body());
  const head = await ask(port, blobPath, { method: 'HEAD' });
  assert.equal(head.status, 401);
  assert.equal(head.headers['content-length'], String(error.body().length));
  assert.equal(head.body.length, 0);
  assert.ok(events.every(({ kind }) => kind === 'served'));
});

test('any other error is a 500 that says little and an event that says all', async (context) => {
  const error = new Error('password=secret');
  const { port, event } = await serve(context, () => Promise.reject(error));
  const answer = await ask(port, blobPath);
  assert.equal(answer.status, 500);
  assert.match(answer.body.toString(), /"code":"UNKNOWN"/);
  assert.doesNotMatch(answer.body.toString(), /secret/);
  assert.equal((await event('bug')).error, error);
});

test('the login in a target of absolute form is in no event', async (context) => {
  const { port, event } = await serve(context, ok);
  const target = `http://user:secret@docker.io${blobPath}?token=secret`;
  assert.match(
    await exchange(context, port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
    /^HTTP\/1\.1 200 /,
  );
  assert.equal((await event('served')).path, blobPath);
});

test("whoever leaves before there is a reply aborts the pull, and that is nobody's bug", async (context) => {
  const begun = Promise.withResolvers<void>();
  const { port, event, events } = await serve(context, async (_pull, _caller, signal) => {
    begun.resolve();
    await once(signal, 'abort');
    throw new Error('aborted');
  });
  const client = await RawClient.open(context, port);
  client.send(get);
  await begun.promise;
  client.socket.destroy();
  const { status, whole } = await event('served');
  assert.deepEqual({ status, whole }, { status: 499, whole: false });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['served'],
  );
});

test('a reply that is over aborts nothing', async (context) => {
  let leaving: AbortSignal | undefined;
  const { port, event } = await serve(context, async (_pull, _caller, signal) => {
    leaving = signal;
    return bytesReply('ok');
  });
  const client = await RawClient.open(context, port);
  client.send(get);
  await client.until('ok');
  client.socket.destroy();
  await event('served');
  await exchange(context, port, `GET ${blobPath} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  assert.equal(leaving?.aborted, false);
});

test('no target makes a 500', async (context) => {
  const { port } = await serve(context, async () => bytesReply('ok'));
  const agent = new http.Agent({ keepAlive: true });
  context.after(() => agent.destroy());
  const part = fc.oneof(
    fc.constantFrom(
      'v2',
      'manifests',
      'blobs',
      'tags',
      'list',
      'referrers',
      'docker.io',
      '..',
      '%2f',
      '%',
      '%00',
      '?ns=',
      '//',
      '\\',
    ),
    fc.string({ unit: fc.constantFrom(...'abzAZ019._-:@%&=+~!$*,;[]{}|^"<>`'.split('')) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), fc.constantFrom('GET', 'HEAD'), async (parts, method) => {
      const { status } = await ask(port, `/${parts.join('/')}`, { method, agent });
      assert.ok(status < 500, String(status));
    }),
    { numRuns: 300 },
  );
});

test('whoever may not pull learns nothing, neither of the path nor of what is configured', async (context) => {
  const { port } = await serve(context, never, { access: { kind: 'networks', networks: [] } });
  for (const path of ['/v2/', '/v2/nowhere.example/a/manifests/b', '/v2/%2f', '/v2/library/alpine/manifests/latest']) {
    const answer = await ask(port, path);
    assert.equal(answer.status, 403, path);
    assert.ok(!answer.body.toString().includes('configured'));
  }
  assert.equal((await ask(port, '/healthz')).status, 200);
});
