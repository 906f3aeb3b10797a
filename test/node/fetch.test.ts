// HTTP to upstreams over real connections.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server } from 'node:net';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ForbiddenAddress, type UpstreamRequest } from '../../src/core/upstream/fetch.ts';
import { createDial } from '../../src/node/dial/dial.ts';
import { createFetch, type FetchOptions } from '../../src/node/fetch.ts';
import { usualTimeouts } from '../../src/node/timeouts.ts';

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function serve(handle: RequestListener): Promise<number> {
  const server = createServer(handle);
  after(() => server.closeAllConnections());
  return listening(server);
}

function fetcher(options: FetchOptions = {}) {
  const { fetch, close } = createFetch(options);
  after(close);
  return (url: string, more: Partial<UpstreamRequest> = {}) =>
    fetch({ method: 'GET', url, headers: {}, signal: new AbortController().signal, trust: 'configured', ...more });
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  let all = '';
  for await (const chunk of body) all += Buffer.from(chunk).toString();
  return all;
}

test('an answer comes as it was sent: redirects, encodings and repeated headers included', async () => {
  const port = await serve((_request, response) => {
    response.setHeader('WWW-Authenticate', ['Basic realm="a"', 'Bearer realm="b"']);
    response.writeHead(302, { Location: '/x', 'Content-Encoding': 'gzip' }).end('not really');
  });
  const { status, headers, body } = await fetcher()(`http://127.0.0.1:${port}/`);
  assert.equal(status, 302);
  assert.equal(headers['location'], '/x');
  assert.equal(headers['content-encoding'], 'gzip');
  assert.deepEqual(headers['www-authenticate'], ['Basic realm="a"', 'Bearer realm="b"']);
  assert.equal(await text(body), 'not really');
});

test('a proxy of the environment is not used', async (context) => {
  const proxied: string[] = [];
  const proxy = await serve((request, response) => {
    proxied.push(request.url ?? '');
    response.end();
  });
  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']) {
    const before = process.env[name];
    process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : `http://127.0.0.1:${proxy}`;
    context.after(() => (before === undefined ? delete process.env[name] : (process.env[name] = before)));
  }
  const port = await serve((_request, response) => response.end('direct'));
  assert.equal(await text((await fetcher()(`http://127.0.0.1:${port}/`)).body), 'direct');
  assert.deepEqual(proxied, []);
});

test('what somebody else named is not dialled at an address that is not public', async () => {
  let dialled = 0;
  const port = await serve((_request, response) => {
    dialled += 1;
    response.end();
  });
  const fetch = fetcher();
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', 'localhost']) {
    await assert.rejects(fetch(`http://${host}:${port}/`, { trust: 'public' }), ForbiddenAddress, host);
  }
  assert.equal(dialled, 0);
  const { body } = await fetch(`http://localhost:${port}/`);
  await text(body);
  await assert.rejects(
    fetch(`http://localhost:${port}/`, { trust: 'public' }),
    ForbiddenAddress,
    'not over a kept connection either',
  );
  assert.equal(dialled, 1);
});

test('a pinned host is dialled where the pin says, under its own name and whatever the address', async () => {
  const port = await serve((request, response) => response.end(request.headers.host));
  const fetch = fetcher({ dial: createDial({ resolve: { 'registry.test': { host: '127.0.0.1', port } } }) });
  for (const trust of ['configured', 'public'] as const) {
    assert.equal(await text((await fetch('http://registry.test/', { trust })).body), 'registry.test');
  }
});

test('a pinned host is greeted by its own name over TLS', async () => {
  const hello = Promise.withResolvers<Buffer>();
  const port = await listening(
    createSocketServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => {
        hello.resolve(Buffer.from(data));
        socket.destroy();
      });
    }),
  );
  const fetch = fetcher({ dial: createDial({ resolve: { 'registry.test': { host: '127.0.0.1', port } } }) });
  await assert.rejects(fetch('https://registry.test/'));
  const greeting = await hello.promise;
  assert.ok(greeting.includes('registry.test'), 'server name indication');
  assert.ok(!greeting.includes('\x02h2'), 'HTTP/1.1 only');
});

test('a body that breaks off throws', async () => {
  const port = await serve((request, response) => {
    response.writeHead(200, request.url === '/length' ? { 'content-length': '10' } : {});
    response.write('01234', () => request.socket.destroy());
  });
  for (const path of ['length', 'chunked']) {
    const { body } = await fetcher()(`http://127.0.0.1:${port}/${path}`);
    await assert.rejects(text(body), path);
  }
});

test('a body that breaks before anybody reads it does no harm until somebody does', async () => {
  const port = await serve((request, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('01234', () => request.socket.destroy());
  });
  const { body } = await fetcher()(`http://127.0.0.1:${port}/`);
  for (let turns = 0; turns < 20; turns += 1) await setImmediate();
  await assert.rejects(text(body));
});

test('cancelling frees the connection, and so does leaving the loop', async () => {
  let open = 0;
  const closed: (() => void)[] = [];
  const port = await serve((request, response) => {
    open += 1;
    request.socket.once('close', () => {
      open -= 1;
      closed.shift()?.();
    });
    response.writeHead(200, { 'content-length': '10' }).write('01234');
  });
  const fetch = fetcher();
  for (const leave of ['cancel', 'break'] as const) {
    const gone = new Promise<void>((resolve) => closed.push(resolve));
    const response = await fetch(`http://127.0.0.1:${port}/`);
    if (leave === 'cancel') response.cancel();
    else for await (const _ of response.body) break;
    await gone;
    assert.equal(open, 0);
  }
});

test('an answer that has come whole with its head can be cancelled, too', async () => {
  const port = await serve((_request, response) => response.end('all of it'));
  const response = await fetcher()(`http://127.0.0.1:${port}/`);
  response.cancel();
  for (let turns = 0; turns < 20; turns += 1) await setImmediate();
  await assert.rejects(text(response.body));
});

test('a connection is used again after a body was read', async () => {
  const ports = new Set<number | undefined>();
  const port = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.end('x');
  });
  const fetch = fetcher();
  for (let times = 0; times < 3; times += 1) {
    await text((await fetch(`http://127.0.0.1:${port}/`)).body);
    // The pool takes the connection back a turn after the body has ended.
    await setImmediate();
  }
  assert.equal(ports.size, 1);
});

test('an abort ends the wait for an answer, and an answer half read', async () => {
  const asked = Promise.withResolvers<void>();
  const port = await serve((request, response) => {
    if (request.url === '/body') response.writeHead(200).write('x');
    else asked.resolve();
  });
  const waiting = new AbortController();
  const head = fetcher()(`http://127.0.0.1:${port}/head`, { signal: waiting.signal });
  await asked.promise;
  waiting.abort();
  await assert.rejects(head);
  const reading = new AbortController();
  const { body } = await fetcher()(`http://127.0.0.1:${port}/body`, { signal: reading.signal });
  reading.abort();
  await assert.rejects(text(body));
});

test('an upstream that never answers, or stalls, is given up', async () => {
  const port = await serve((request, response) => {
    if (request.url === '/stall') response.writeHead(200).write('x');
  });
  const fetch = fetcher({ timeouts: { headers: 10, idle: 10 } });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/silence`), { code: 'UND_ERR_HEADERS_TIMEOUT' });
  const { body } = await fetch(`http://127.0.0.1:${port}/stall`);
  await assert.rejects(text(body), { code: 'UND_ERR_BODY_TIMEOUT' });
});

test('an upstream that accepts and never says a word of TLS is given up as one that cannot be reached, and let go', async () => {
  const gone = Promise.withResolvers<void>();
  const port = await listening(
    createSocketServer(
      (socket) =>
        void socket
          .resume()
          .on('error', () => {})
          .once('close', gone.resolve),
    ),
  );
  const fetch = fetcher({ timeouts: { connect: 50 } });
  await assert.rejects(fetch(`https://127.0.0.1:${port}/`), { code: 'UND_ERR_CONNECT_TIMEOUT' });
  await gone.promise;
});

test('two endpoints that never answer are both given up before containerd gives up, after 30 s', () => {
  assert.ok(2 * usualTimeouts.headers < 30_000);
});

test('heads of more than 64 KiB are refused', async () => {
  const port = await serve((request, response) =>
    response.writeHead(200, { big: 'x'.repeat(Number(request.url?.slice(1))) }).end(),
  );
  const fetch = fetcher();
  assert.equal((await fetch(`http://127.0.0.1:${port}/60000`)).status, 200);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/70000`), { code: 'UND_ERR_HEADERS_OVERFLOW' });
});

test('closing breaks what still runs', async () => {
  const port = await serve((_request, response) => void response.writeHead(200).write('x'));
  const { fetch, close } = createFetch();
  const { body } = await fetch({
    method: 'GET',
    url: `http://127.0.0.1:${port}/`,
    headers: {},
    signal: new AbortController().signal,
    trust: 'configured',
  });
  await close();
  await assert.rejects(text(body));
});
