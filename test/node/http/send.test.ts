import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ByteStream } from '../../../src/core/mirror/reply.ts';
import { hold, pattern } from './held-file.ts';
import { ask, blobPath, RawClient, replyOf, serve } from './scripted-server.ts';

const get = `GET ${blobPath} HTTP/1.1\r\nHost: a\r\n\r\n`;

async function* breaking(): ByteStream {
  yield Buffer.from('half');
  throw new Error('upstream reset');
}

async function* chunksOf(...chunks: readonly string[]): ByteStream {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

test('bytes go out with their length, whatever the headers say of it', async (context) => {
  const body = { kind: 'bytes', bytes: Buffer.from('hello') } as const;
  const { port, event } = await serve(context, async () => replyOf(body, { 'content-length': '99', etag: '"x"' }));
  const answer = await ask(port, blobPath);
  assert.equal(answer.body.toString(), 'hello');
  assert.equal(answer.headers['content-length'], '5');
  assert.equal(answer.headers.etag, '"x"');
  const { bytes, whole } = await event('served');
  assert.deepEqual({ bytes, whole }, { bytes: 5, whole: true });
});

test('no body is a body of length 0 for GET, and none at all for 304', async (context) => {
  const replies = [replyOf({ kind: 'none' }), replyOf({ kind: 'none' }, { etag: '"x"' }, 304)];
  const { port } = await serve(context, async () => replies.shift()!);
  assert.equal((await ask(port, blobPath)).headers['content-length'], '0');
  const unchanged = await ask(port, blobPath);
  assert.equal(unchanged.status, 304);
  assert.equal(unchanged.headers['content-length'], undefined);
  assert.equal(unchanged.headers['transfer-encoding'], undefined);
});

test('a header that occurs twice is sent twice', async (context) => {
  const { port } = await serve(context, async () => replyOf({ kind: 'none' }, { warning: ['299 - "a"', '299 - "b"'] }));
  const { rawHeaders } = await ask(port, blobPath);
  assert.equal(rawHeaders.filter((name) => name === 'warning').length, 2);
});

test('a stream of known length has Content-Length, one of unknown length is chunked', async (context) => {
  const replies = [
    replyOf({ kind: 'stream', stream: chunksOf('one', '', 'two') }, { 'content-length': '6' }),
    replyOf({ kind: 'stream', stream: chunksOf('one', '', 'two') }),
  ];
  const { port } = await serve(context, async () => replies.shift()!);
  const known = await ask(port, blobPath);
  assert.equal(known.headers['content-length'], '6');
  const unknown = await ask(port, blobPath);
  assert.equal(unknown.headers['transfer-encoding'], 'chunked');
  for (const { body, complete } of [known, unknown]) {
    assert.equal(body.toString(), 'onetwo');
    assert.equal(complete, true);
  }
});

test('the head of a stream goes out before its first chunk is there', async (context) => {
  const first = Promise.withResolvers<Uint8Array>();
  async function* late(): ByteStream {
    yield await first.promise;
  }
  const { port } = await serve(context, async () =>
    replyOf({ kind: 'stream', stream: late() }, { 'content-length': '4' }),
  );
  const client = await RawClient.open(context, port);
  client.send(get);
  await client.until('\r\n\r\n');
  first.resolve(Buffer.from('late'));
  await client.until('late');
});

test('HEAD tells what GET would, sends nothing of it and lets go of it', async (context) => {
  const held = hold(context, pattern(3000));
  let returned = 0;
  const stream: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      next: () => assert.fail('HEAD reads nothing'),
      return: async () => {
        returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  const replies = [
    replyOf({ kind: 'file', file: held.file, range: undefined }),
    replyOf({ kind: 'stream', stream }, { 'content-length': '77' }),
    replyOf({ kind: 'stream', stream }),
    replyOf({ kind: 'none' }, { 'content-length': '5' }),
  ];
  const { port } = await serve(context, async () => replies.shift()!);
  for (const length of ['3000', '77', undefined, '5']) {
    const answer = await ask(port, blobPath, { method: 'HEAD' });
    assert.equal(answer.headers['content-length'], length);
    assert.equal(answer.headers['transfer-encoding'], undefined);
    assert.equal(answer.body.length, 0);
  }
  assert.equal(held.closings, 1);
  assert.equal(returned, 2);
});

for (const [framing, headers] of [
  ['Content-Length', { 'content-length': '1000' }],
  ['chunks', {}],
] as const) {
  test(`a stream that breaks is a body that breaks, with ${framing}`, async (context) => {
    const { port, event } = await serve(context, async () => replyOf({ kind: 'stream', stream: breaking() }, headers));
    const answer = await ask(port, blobPath);
    assert.equal(answer.body.toString(), 'half');
    assert.equal(answer.complete, false);
    const { bytes, whole, error } = await event('served');
    assert.deepEqual({ bytes, whole }, { bytes: 4, whole: false });
    assert.equal((error as Error).message, 'upstream reset');
  });
}

test('an HTTP/1.0 client gets a stream of unknown length up to the end of the connection', async (context) => {
  const { port } = await serve(context, async () => replyOf({ kind: 'stream', stream: chunksOf('one', 'two') }));
  const client = await RawClient.open(context, port);
  client.send(`GET ${blobPath} HTTP/1.0\r\n\r\n`);
  assert.equal(await client.closed(), undefined);
  assert.ok(client.text.endsWith('\r\n\r\nonetwo'));
});

test('to an HTTP/1.0 client, a stream of unknown length that breaks is a reset connection', async (context) => {
  const broken = Promise.withResolvers<never>();
  async function* breakingLater(): ByteStream {
    yield Buffer.from('half');
    await broken.promise;
  }
  const { port } = await serve(context, async () => replyOf({ kind: 'stream', stream: breakingLater() }));
  const client = await RawClient.open(context, port);
  client.send(`GET ${blobPath} HTTP/1.0\r\n\r\n`);
  await client.until('half');
  broken.reject(new Error('upstream reset'));
  assert.equal(await client.closed(), 'ECONNRESET');
});

test('a stream that is shorter than its head says does not end properly', async (context) => {
  const stream = chunksOf('four');
  const { port } = await serve(context, async () => replyOf({ kind: 'stream', stream }, { 'content-length': '5' }));
  const answer = await ask(port, blobPath);
  assert.equal(answer.complete, false);
  assert.equal(answer.body.toString(), 'four');
});

test('of a stream that is longer than its head says, nothing beyond is sent, and it is let go of', async (context) => {
  let returned = false;
  async function* long(): ByteStream {
    try {
      yield Buffer.from('four');
      yield Buffer.from('more');
    } finally {
      returned = true;
    }
  }
  const { port, event } = await serve(context, async () =>
    replyOf({ kind: 'stream', stream: long() }, { 'content-length': '6' }),
  );
  const answer = await ask(port, blobPath);
  assert.equal(answer.body.toString(), 'four');
  assert.equal(answer.complete, false);
  assert.equal((await event('served')).whole, false);
  assert.equal(returned, true);
});

test('the next chunk is asked for only when the kernel has taken the last, so a stream may use one buffer again', async (context) => {
  const buffer = Buffer.alloc(100_000);
  const count = 200;
  let waiting: http.ServerResponse | undefined;
  async function* reusing(): ByteStream {
    for (let index = 0; index < count; index += 1) {
      assert.equal(waiting?.socket?.writableLength, 0);
      buffer.fill(index);
      yield buffer;
    }
  }
  const { face, port, event } = await serve(context, async () => replyOf({ kind: 'stream', stream: reusing() }));
  face.server.prependListener('request', (_, response: http.ServerResponse) => {
    waiting = response;
  });
  const answer = await ask(port, blobPath);
  const expected = Buffer.concat(Array.from({ length: count }, (_, index) => Buffer.alloc(100_000, index)));
  assert.ok(answer.body.equals(expected));
  assert.equal((await event('served')).whole, true);
});

test('a client that does not read is not read for', async (context) => {
  let asked = 0;
  let sending: http.ServerResponse | undefined;
  async function* endless(): ByteStream {
    for (;;) {
      asked += 1;
      yield Buffer.alloc(1 << 20);
    }
  }
  const { face, port, event } = await serve(context, async () => replyOf({ kind: 'stream', stream: endless() }));
  face.server.prependListener('request', (_, response: http.ServerResponse) => {
    sending = response;
  });
  const client = await RawClient.open(context, port);
  client.socket.pause();
  client.send(get);
  // Full: a write that is not taken within many turns of the loop, while the loop has nothing else to do.
  for (let last = -1, same = 0; same < 1000; await setImmediate()) {
    same = asked === last && (sending?.socket?.writableLength ?? 0) > 0 ? same + 1 : 0;
    last = asked;
  }
  assert.ok(asked < 64, `${asked} MiB were asked for`);
  assert.ok(sending!.socket!.writableLength < 2 << 20);
  client.socket.destroy();
  assert.equal((await event('served')).whole, false);
});

test('when the client leaves, the stream is returned and the signal aborted, and that is no error', async (context) => {
  const returned = Promise.withResolvers<void>();
  let leaving: AbortSignal | undefined;
  async function* endless(): ByteStream {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      returned.resolve();
    }
  }
  const { port, event } = await serve(context, async (_pull, _caller, signal) => {
    leaving = signal;
    return replyOf({ kind: 'stream', stream: endless() });
  });
  const client = await RawClient.open(context, port);
  client.send(get);
  await once(client.socket, 'data');
  assert.ok(leaving?.aborted === false);
  const aborted = once(leaving, 'abort');
  client.socket.destroy();
  await returned.promise;
  await aborted;
  const { whole, error } = await event('served');
  assert.deepEqual({ whole, error }, { whole: false, error: undefined });
});

test('a client that closes its side of the connection while a chunk is on its way does not hold the stream', async (context) => {
  const returned = Promise.withResolvers<void>();
  async function* endless(): ByteStream {
    try {
      for (;;) yield Buffer.alloc(8 << 20);
    } finally {
      returned.resolve();
    }
  }
  const { face, port, event } = await serve(context, async () => replyOf({ kind: 'stream', stream: endless() }));
  const connected = once(face.server, 'connection') as Promise<[Socket]>;
  const client = await RawClient.open(context, port);
  client.socket.pause();
  client.send(get);
  const [socket] = await connected;
  while (socket.writableLength === 0) await setImmediate();
  const ended = once(socket, 'end');
  client.socket.end();
  await ended;
  client.socket.resume();
  await returned.promise;
  assert.equal((await event('served')).whole, false);
});
