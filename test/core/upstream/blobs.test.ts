// Blobs of an upstream: whole, in parts, and cut short.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { manifestDigest as digest, repository, send, signal, upstreamThat } from './bench.ts';

async function collect(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

test('a blob is measured by a HEAD, or by a GET where there is none', async () => {
  const { upstream } = await upstreamThat((_request, response) => send(response, 200, { 'content-length': '1000' }));
  assert.equal((await upstream.stat(repository, digest, anonymous, signal))?.size, 1000);
  const old = await upstreamThat((request, response) =>
    request.method === 'HEAD' ? send(response, 405) : send(response, 200, { 'content-length': '5' }, 'bytes'),
  );
  assert.equal((await old.upstream.stat(repository, digest, anonymous, signal))?.size, 5);
});

test('a blob comes from the offset that was asked for, or whole from an upstream that knows no ranges', async () => {
  const { upstream, log, events } = await upstreamThat((request, response) => {
    if (request.headers.range === undefined) send(response, 200, { 'content-length': '10' }, '0123456789');
    else send(response, 206, { 'content-range': 'bytes 4-9/10', 'content-length': '6' }, '456789');
  });
  const source = upstream.blob(repository, digest, anonymous);
  const whole = await source(0, signal);
  assert.deepEqual([whole.offset, whole.size, await collect(whole.stream)], [0, 10, '0123456789']);
  const rest = await source(4, signal);
  assert.deepEqual([rest.offset, rest.size, await collect(rest.stream)], [4, 10, '456789']);
  assert.deepEqual(
    log.map(({ headers }) => headers.range),
    [undefined, 'bytes=4-'],
  );
  const received = events.filter((event) => event.kind === 'received');
  assert.deepEqual(
    received.map(({ bytes }) => bytes),
    [10, 6],
  );
  const rangeless = await upstreamThat((_request, response) => send(response, 200, { 'content-length': '3' }, 'abc'));
  const incoming = await rangeless.upstream.blob(repository, digest, anonymous)(2, signal);
  assert.deepEqual([incoming.offset, await collect(incoming.stream)], [0, 'abc']);
});

test('a body that breaks off, or goes on too long, is told of by registry', async () => {
  const { upstream, events } = await upstreamThat((request, response) => {
    if (request.headers.range !== undefined) return send(response, 206, { 'content-range': 'bytes 4-5/10' }, '456789');
    response.writeHead(200, { 'content-length': '10' });
    response.write('0123', () => response.destroy());
  });
  const source = upstream.blob(repository, digest, anonymous);
  await assert.rejects(collect((await source(0, signal)).stream), { status: 503 });
  await assert.rejects(collect((await source(4, signal, 6)).stream), { status: 502 });
  assert.deepEqual(
    events.filter((event) => event.kind === 'broke'),
    [
      { kind: 'broke', registry: repository.registry, why: 'short' },
      { kind: 'broke', registry: repository.registry, why: 'wrong' },
    ],
  );
});

test('a blob comes up to the end that was asked for, and no earlier end is taken for that one', async () => {
  const all = '0123456789';
  const { upstream, log } = await upstreamThat((request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const body = all.slice(Number(first), Math.min(Number(last), 6) + 1);
    const range = `bytes ${first}-${Number(first) + body.length - 1}/10`;
    send(response, 206, { 'content-range': range, 'content-length': String(body.length) }, body);
  });
  const source = upstream.blob(repository, digest, anonymous);
  const part = await source(2, signal, 5);
  assert.deepEqual([part.offset, part.size, await collect(part.stream)], [2, 10, '234']);
  assert.equal(await collect((await source(0, signal, 2)).stream), '01');
  await assert.rejects(collect((await source(5, signal, 9)).stream), { code: 'UNAVAILABLE', status: 503 });
  assert.deepEqual(
    log.map(({ headers }) => headers.range),
    ['bytes=2-4', 'bytes=0-1', 'bytes=5-8'],
  );
});

test('an upstream that tells no size is read to its end', async () => {
  const { upstream } = await upstreamThat((_request, response) => send(response, 200, {}, 'abc'));
  const incoming = await upstream.blob(repository, digest, anonymous)(0, signal);
  assert.deepEqual([incoming.size, await collect(incoming.stream)], [undefined, 'abc']);
});

test('a 206 that lies about what it is, is refused', async () => {
  for (const range of [
    'bytes 0-9/10',
    'bytes 0-5/10',
    'bytes 3-8/10',
    'bytes 5-9/10',
    'bytes 4-9/9',
    'bytes 4-3/10',
    'bytes 4-8/10',
    'bytes 4-9/*',
    'bytes */10',
    '4-9/10',
    undefined,
  ]) {
    const headers = { 'content-length': '6', ...(range !== undefined && { 'content-range': range }) };
    const { upstream } = await upstreamThat((_request, response) => send(response, 206, headers, '456789'));
    await assert.rejects(
      upstream.blob(repository, digest, anonymous)(4, signal),
      { code: 'UNAVAILABLE', status: 502 },
      range,
    );
  }
});

test('a stream that ends early throws', async () => {
  const cut = await upstreamThat((request, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('01234', () => request.socket.destroy());
  });
  const short = await upstreamThat((_request, response) =>
    send(response, 206, { 'content-range': 'bytes 0-4/10', 'content-length': '5' }, '01234'),
  );
  for (const { upstream } of [cut, short]) {
    const incoming = await upstream.blob(repository, digest, anonymous)(0, signal);
    await assert.rejects(collect(incoming.stream), { code: 'UNAVAILABLE', status: 503 });
  }
});

test('whoever leaves ends the upstream’s answer', async () => {
  const closed = Promise.withResolvers<void>();
  const { upstream } = await upstreamThat((_request, response) => {
    response.on('close', closed.resolve);
    response.writeHead(200, { 'content-length': '10' }).write('01234');
  });
  const leaving = new AbortController();
  const reason = new Error('the client has left');
  const incoming = await upstream.blob(repository, digest, anonymous)(0, leaving.signal);
  const reading = collect(incoming.stream);
  leaving.abort(reason);
  await assert.rejects(reading, reason);
  await closed.promise;
});

test('an endpoint whose answer is let go while it is waited for is not set aside for that', async () => {
  const { upstream, events } = await upstreamThat((_request, response) =>
    response.writeHead(200, { 'content-length': '10' }).write('12345'),
  );
  const { stream } = await upstream.blob(repository, digest, anonymous)(0, signal);
  const reading = stream[Symbol.asyncIterator]();
  await reading.next();
  const next = reading.next();
  await reading.return?.();
  assert.equal((await next).done, true);
  assert.ok(!events.some(({ kind }) => kind === 'aside'));
});

test('a stream that is ended before it began lets its connection go', async () => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const { upstream } = await upstreamThat((_request, response) => {
    response.once('close', resolve);
    response.writeHead(200, { 'content-length': '1000000' }).write('a');
  });
  const { stream } = await upstream.blob(repository, digest, anonymous)(0, signal);
  await stream[Symbol.asyncIterator]().return?.();
  await gone;
});

test('an upstream that breaks off because its reader kept it waiting is not set aside for that', async () => {
  for (const [pause, wait, asides] of [
    [6000, 0, 0],
    [1000, 0, 1],
    [6000, 2000, 1],
  ] as const) {
    let sender: ServerResponse | undefined;
    const { upstream, clock, events } = await upstreamThat((_request, response) => {
      sender = response.writeHead(200, { 'content-length': '10' });
      response.write('123');
    });
    const { stream } = await upstream.blob(repository, digest, anonymous)(0, signal);
    const reading = stream[Symbol.asyncIterator]();
    await reading.next();
    clock.time += pause;
    const next = reading.next();
    clock.time += wait;
    sender?.write('456');
    await next;
    sender?.destroy();
    await assert.rejects(reading.next(), { code: 'UNAVAILABLE', status: 503 });
    assert.equal(events.filter(({ kind }) => kind === 'aside').length, asides, `${pause} and ${wait} ms`);
  }
});

test('a page where a blob was expected is nonsense, and nobody’s lie', async () => {
  for (const status of [200, 206]) {
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'content-range': 'bytes 1-6/7',
      'content-length': '6',
    };
    const { upstream, events } = await upstreamThat((_request, response) => send(response, status, headers, '<html>'));
    const nonsense = { code: 'UNAVAILABLE', status: 502, message: /sent a page/ };
    const asked = { repository, digest, range: { kind: 'from', offset: 1 }, copies: false } as const;
    await assert.rejects(upstream.blob(repository, digest, anonymous)(1, signal), nonsense);
    await assert.rejects(upstream.untouched(asked, anonymous, signal), nonsense);
    if (status === 200) await assert.rejects(upstream.stat(repository, digest, anonymous, signal), nonsense);
    assert.ok(!events.some(({ kind }) => kind === 'aside'));
  }
});
