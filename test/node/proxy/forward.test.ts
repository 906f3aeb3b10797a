// Plain http through the proxy: one request, without what belongs to one connection, and the answer as it is.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { freePort } from '../../lab/process.ts';
import { readAll, startProxy, type World } from './world.ts';

async function origin(t: TestContext, handle: RequestListener): Promise<number> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function ask(world: World, lines: readonly string[]): Promise<string> {
  const client = await world.connect();
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  return (await readAll(client)).toString();
}

test('what belongs to a connection stays behind, both ways; the host is the URL’s', async (t) => {
  let seen: Readonly<Record<string, unknown>> = {};
  const port = await origin(t, (request, response) => {
    seen = { method: request.method, url: request.url, ...request.headers };
    response.writeHead(200, {
      'content-length': 4,
      connection: 'x-inner',
      'x-inner': 'secret',
      'x-kept': '1',
      'proxy-authenticate': 'Basic',
      via: ['1.1 inner', '1.0 outer'],
    });
    response.end('body');
  });
  const world = await startProxy(t, { 'ghcr.io': port });
  const answer = await ask(world, [
    'GET http://GHCR.io/v2/?a=b HTTP/1.1',
    'Host: evil.example',
    'Connection: close, X-Private',
    'X-Private: for you alone',
    'Proxy-Authorization: Basic c2VjcmV0',
    'Proxy-Connection: keep-alive',
    'TE: trailers',
    'Accept: text/plain',
    'Via: 1.1 other',
  ]);
  assert.deepEqual(Object.fromEntries(Object.entries(seen).filter(([name]) => name !== 'connection')), {
    method: 'GET',
    url: '/v2/?a=b',
    host: 'ghcr.io',
    accept: 'text/plain',
    via: '1.1 other, 1.1 sampan-test',
  });
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nbody$/);
  assert.match(answer, /\r\nx-kept: 1\r\n/);
  assert.match(answer, /\r\nvia: 1\.1 inner, 1\.0 outer, 1\.1 sampan-test\r\n/);
  assert.doesNotMatch(answer, /x-inner|proxy-authenticate/);
  const { how, host, received, ended } = await world.told('passed');
  assert.deepEqual([how, host, received, ended], ['forward', 'ghcr.io', 4, 'done']);
});

test('who has gone before the turn of what he asked for is told of once', async (t) => {
  const asked = Promise.withResolvers<void>();
  const port = await origin(t, () => asked.resolve());
  const world = await startProxy(t, { 'ghcr.io': port });
  const client = await world.connect();
  client.write('GET http://ghcr.io/ HTTP/1.1\r\nHost: x\r\n\r\nCONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n');
  await asked.promise;
  client.resetAndDestroy();
  await world.told('passed');
  await world.proxy.close(0);
  assert.deepEqual(
    world.events.map(({ kind }) => kind),
    ['passed'],
  );
});

test('a redirect is the client’s to follow, and is asked for at the proxy again', async (t) => {
  const port = await origin(t, (_, response) => response.writeHead(301, { location: 'https://ghcr.io/v2/' }).end());
  const world = await startProxy(t, { 'ghcr.io': port });
  const answer = await ask(world, ['HEAD http://ghcr.io HTTP/1.1', 'Host: ghcr.io', 'Connection: close']);
  assert.match(answer, /^HTTP\/1\.1 301 [^]*\r\nlocation: https:\/\/ghcr\.io\/v2\/\r\n/);
});

test('an answer that breaks off never looks whole', async (t) => {
  const port = await origin(t, (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('some', () => response.destroy());
  });
  const world = await startProxy(t, { 'ghcr.io': port });
  const answer = await ask(world, ['GET http://ghcr.io/ HTTP/1.1', 'Host: ghcr.io']);
  assert.match(answer, /\r\ncontent-length: 100\r\n[^]*\r\n\r\nsome$/);
  assert.equal((await world.told('passed')).ended, 'upstream');
});

for (const [what, line, status] of [
  ['a push', 'POST http://ghcr.io/v2/x/blobs/uploads/ HTTP/1.1', 405],
  ['TRACE', 'TRACE http://ghcr.io/ HTTP/1.1', 405],
  ['another host', 'GET http://example.com/ HTTP/1.1', 403],
  ['an address', 'GET http://169.254.169.254/latest/meta-data/ HTTP/1.1', 403],
  ['another port', 'GET http://ghcr.io:8080/ HTTP/1.1', 403],
  ['another scheme', 'GET ftp://ghcr.io/ HTTP/1.1', 403],
] as const) {
  test(`${what} is refused, in plain http too`, async (t) => {
    const world = await startProxy(t, {});
    assert.match(await ask(world, [line, 'Host: x']), new RegExp(`^HTTP/1\\.1 ${status} this proxy is for container`));
  });
}

test('who wants a promise before he speaks gets none', async (t) => {
  const world = await startProxy(t, {});
  const answer = await ask(world, ['GET http://ghcr.io/ HTTP/1.1', 'Host: x', 'Expect: 100-continue']);
  assert.match(answer, /^HTTP\/1\.1 417 /);
});

test('a host that is not there is a 502 that says so, for a tunnel as for a request', async (t) => {
  const world = await startProxy(t, { 'ghcr.io': await freePort('127.0.0.1') });
  assert.match(
    await ask(world, ['GET http://ghcr.io/ HTTP/1.1', 'Host: x']),
    /^HTTP\/1\.1 502 ghcr\.io cannot be reached/,
  );
  assert.match(
    await ask(world, ['CONNECT ghcr.io:443 HTTP/1.1', 'Host: x']),
    /^HTTP\/1\.1 502 ghcr\.io cannot be reached/,
  );
});
