import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ByteStream, Reply } from '../../../src/core/mirror/reply.ts';
import { ask, blobPath, bytesReply, exchange, RawClient, replyOf, serve } from './scripted-server.ts';

const get = `GET ${blobPath} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ok = async (): Promise<Reply> => bytesReply('ok');
const never = async (): Promise<Reply> => assert.fail('nothing is pulled');

test('requests that arrive together are answered in their order, each begun when the one before is over', async (context) => {
  const running: string[] = [];
  const gates = ['a', 'b', 'c'].map(() => Promise.withResolvers<void>());
  const { port } = await serve(context, async (pull) => {
    assert.ok(pull.kind === 'manifest');
    const tag = pull.reference.target;
    running.push(tag);
    await gates[running.length - 1]!.promise;
    return bytesReply(`<${tag}>`);
  });
  const client = await RawClient.open(context, port);
  client.send(['a', 'b', 'c'].map((tag) => `GET /v2/x/manifests/${tag} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  for (const [index, tag] of ['a', 'b', 'c'].entries()) {
    while (running.length <= index) await setImmediate();
    assert.equal(running.length, index + 1);
    gates[index]!.resolve();
    await client.until(`<${tag}>`);
  }
});

test('what is found in one round of the event loop goes out at its end, behind all that was found', async (context) => {
  const seen: number[] = [];
  const { port, events, event } = await serve(context, async () => {
    // Runs at the end of the round, before what waits for that.
    globalThis.setImmediate(() => seen.push(events.length));
    return bytesReply('ok');
  });
  await ask(port, blobPath);
  await event('served');
  assert.deepEqual(seen, [0]);
});

test('who asks for several things in one go, and then closes his side, gets them all', async (context) => {
  const { port } = await serve(context, ok);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  context.after(() => socket.destroy());
  socket.end(get.repeat(3));
  assert.equal((await textOf(socket)).split('HTTP/1.1 200 OK').length - 1, 3);
});

test('a connection lives through many requests', async (context) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => agent.destroy());
  const { face, port } = await serve(context, ok);
  let connections = 0;
  face.server.on('connection', () => {
    connections += 1;
  });
  for (let index = 0; index < 20; index += 1) assert.equal((await ask(port, blobPath, { agent })).status, 200);
  assert.equal(connections, 1);
});

test('who sends requests without end and waits for no answer is cut off', async (context) => {
  let pulls = 0;
  const { port } = await serve(context, (_pull, _caller, signal) => {
    pulls += 1;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('left'))));
  });
  await exchange(context, port, get.repeat(100));
  assert.ok(pulls <= 1);
});

for (const [what, bytes, status] of [
  ['a head beyond 64 KiB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
  ['a target beyond 64 KiB', `GET /${'x'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['a header without a name', 'GET /v2/ HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 400],
  ['a header that is continued', 'GET /v2/ HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', 400],
  ['lines that end in LF alone', 'GET /v2/ HTTP/1.1\nHost: a\n\n', 400],
  ['two lengths', 'GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n', 400],
  [
    'a length and chunks',
    'GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
  ],
  ['no Host', 'GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ['two Hosts', 'GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', 400],
  ['CONNECT', 'CONNECT registry-1.docker.io:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405],
] as const) {
  test(`${what} gets ${status}, as an OCI error`, async (context) => {
    const { port } = await serve(context, never);
    const text = await exchange(context, port, bytes);
    assert.match(
      text,
      new RegExp(`^HTTP/1\\.1 ${status} [^]*content-type: application/json[^]*"code":"UNSUPPORTED"`, 'i'),
    );
  });
}

test('what comes after a request and is none is refused when that request has been answered', async (context) => {
  const gate = Promise.withResolvers<void>();
  const { face, port } = await serve(context, async () => {
    await gate.promise;
    return bytesReply('first');
  });
  const client = await RawClient.open(context, port);
  const refused = once(face.server, 'clientError');
  client.send(`${get}garbage\r\n\r\n`);
  await refused;
  gate.resolve();
  await client.closed();
  assert.match(client.text, /^HTTP\/1\.1 200 [^]*firstHTTP\/1\.1 400 /);
});

test('an offer to upgrade is not taken up', async (context) => {
  const { port } = await serve(context, ok);
  const text = await exchange(
    context,
    port,
    `GET ${blobPath} HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n`,
  );
  assert.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\nok$/);
});

test('a client that takes nothing is let go of in the end, one that waits for us is not', async (context) => {
  const gate = Promise.withResolvers<void>();
  async function* endless(): ByteStream {
    await gate.promise;
    for (;;) yield Buffer.alloc(1 << 20);
  }
  const { face, port, event } = await serve(context, async () => replyOf({ kind: 'stream', stream: endless() }));
  const connected = once(face.server, 'connection') as Promise<[Socket]>;
  const client = await RawClient.open(context, port);
  client.send(get);
  const [socket] = await connected;
  await client.until('\r\n\r\n');
  socket.emit('timeout');
  assert.equal(socket.destroyed, false);

  client.socket.pause();
  gate.resolve();
  while (socket.writableLength === 0) await setImmediate();
  socket.emit('timeout');
  assert.equal(socket.destroyed, true);
  assert.equal((await event('served')).whole, false);
});

test('a connection on which nothing is asked is closed in the end', async (context) => {
  const { face, port } = await serve(context, never);
  const connected = once(face.server, 'connection') as Promise<[Socket]>;
  const client = await RawClient.open(context, port);
  const [socket] = await connected;
  socket.emit('timeout');
  await client.closed();
});

test('close ends idle connections at once and lets what runs finish', async (context) => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { face, port, event } = await serve(context, async (pull) => {
    if (pull.kind === 'ping') return bytesReply('pong');
    begun.resolve();
    await gate.promise;
    return bytesReply('finished');
  });
  const fresh = await RawClient.open(context, port);
  const idle = await RawClient.open(context, port);
  idle.send('GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n');
  await idle.until('pong');
  await event('served');
  const busy = await RawClient.open(context, port);
  busy.send(get);
  await begun.promise;

  const closed = face.close(1000);
  await idle.closed();
  await fresh.closed();
  assert.equal(busy.socket.closed, false);
  gate.resolve();
  await closed;
  await busy.closed();
  assert.match(busy.text, /connection: close[^]*finished$/i);
});

test('a reply whose head was out when it began to close still arrives whole, and then the connection ends', async (context) => {
  const gate = Promise.withResolvers<void>();
  async function* stream(): ByteStream {
    yield Buffer.from('one');
    await gate.promise;
    yield Buffer.from('two');
  }
  const { face, port } = await serve(context, async () => replyOf({ kind: 'stream', stream: stream() }));
  const client = await RawClient.open(context, port);
  client.send(get);
  await client.until('one');
  const closed = face.close(1000);
  gate.resolve();
  await closed;
  await client.closed();
  assert.ok(client.text.endsWith('two\r\n0\r\n\r\n'));
});

test('what is not over at the limit is destroyed', async (context) => {
  const { face, port, clock, event } = await serve(context, (_pull, _caller, signal) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('left'))));
  });
  const client = await RawClient.open(context, port);
  const asked = once(face.server, 'request');
  client.send(get);
  await asked;
  const closed = face.close(1000);
  clock.wakeAll();
  await closed;
  await client.closed();
  assert.equal(client.text, '');
  assert.equal((await event('served')).whole, false);
});

test('clients that reset the connection instead of waiting to be refused harm nobody', async (context) => {
  const { face, port } = await serve(context, ok);
  for (const bytes of [
    'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    `${get}CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n`,
    'x\r\n\r\n',
  ]) {
    const connected = once(face.server, 'connection') as Promise<[Socket]>;
    const client = await RawClient.open(context, port);
    const [socket] = await connected;
    // What the kernel says when the client is gone, just when there is something to refuse.
    face.server.prependOnceListener(bytes.includes('CONNECT') ? 'connect' : 'clientError', () => {
      socket.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    });
    client.send(bytes);
    await client.closed();
  }
  assert.equal((await ask(port, blobPath)).status, 200);
});

test('a pull that waits when all is destroyed knows that its client is gone before close resolves', async (context) => {
  let leaving: AbortSignal | undefined;
  const { face, port, clock } = await serve(context, (_pull, _caller, signal) => {
    leaving = signal;
    return new Promise(() => {});
  });
  const client = await RawClient.open(context, port);
  const asked = once(face.server, 'request');
  client.send(get);
  await asked;
  const closed = face.close(1000);
  clock.wakeAll();
  await closed;
  assert.equal(leaving?.aborted, true);
});

test('heads, requests and idle connections have their limits', async (context) => {
  const { server } = (await serve(context, never)).face;
  const { maxHeaderSize } = server as typeof server & { maxHeaderSize: number };
  const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = server;
  assert.deepEqual(
    { maxHeaderSize, headersTimeout, requestTimeout, keepAliveTimeout, timeout },
    {
      maxHeaderSize: 65_536,
      headersTimeout: 20_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 100_000,
      timeout: 300_000,
    },
  );
});
