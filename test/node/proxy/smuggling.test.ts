// One connection to the real host serves many clients: no request of one may look there as if it were two.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { numbers } from '../../fakes/registry/bytes.ts';
import { host, type Intercepted, intercepted } from './interception.ts';

const inner = `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** Sends exactly these bytes, and leaves when there is an answer. */
async function raw({ port, ca }: Intercepted, bytes: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: host });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(bytes);
  await new Promise((settle) => socket.once('data', settle).once('close', settle));
  socket.destroy();
}

describe('a request whose Connection names what all on its way must know', () => {
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PUT']) {
    it(`is one request, and the next client’s login is his own: ${method}`, async () => {
      const at = await intercepted();
      at.answers(({ headers }, response) => response.end(`you are ${headers.authorization}`));
      const prefix = `PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nHost: ${host}\r\nAuthorization: thief\r\nContent-Length: 120\r\n\r\n`;
      const head = `${method} /v2/_catalog HTTP/1.1\r\nHost: ${host}\r\nConnection: close, content-length, host, via`;
      await raw(at, `${head}\r\nContent-Length: ${prefix.length}\r\n\r\n${prefix}`);
      const told = await at.ask('GET', '/v2/a/tags/list', { headers: { authorization: 'victim' } });
      assert.equal(told.body.toString(), 'you are victim');
      assert.deepEqual(
        at.hostAsked.map(({ method: how, url, headers }) => [how, url, headers.host]),
        [
          [method, '/v2/_catalog', host],
          ['GET', '/v2/a/tags/list', host],
        ],
      );
      assert.equal(at.hostAsked[0]?.body, prefix);
    });
  }

  it('keeps its login and its range', async () => {
    const at = await intercepted();
    const headers = { connection: 'authorization, range', authorization: 'mine', range: 'bytes=0-1' };
    await at.ask('GET', '/v2/_catalog', { headers });
    const { authorization, range } = at.hostAsked[0]?.headers ?? {};
    assert.deepEqual([authorization, range], ['mine', 'bytes=0-1']);
  });
});

it('a body where few expect one has a connection of its own, which ends', async () => {
  const at = await intercepted();
  const closed: Promise<unknown>[] = [];
  at.answers(({ socket }, response) => {
    closed.push(once(socket, 'close'));
    response.end();
  });
  await raw(at, `DELETE /v2/_x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody`);
  assert.equal(at.hostAsked[0]?.headers.connection, 'close');
  await Promise.all(closed);
});

it('no framing of a request makes two of it', async () => {
  const at = await intercepted();
  at.answers((_, response) => response.end('well'));
  const next = numbers(20_261_120);
  const pick = <T>(all: readonly T[]): T => all[next() % all.length] as T;
  const length = `Content-Length: ${inner.length}`;
  const chunked = 'Transfer-Encoding: chunked';
  for (let round = 0; round < 150; round += 1) {
    const ends = pick([length, chunked, 'Transfer-Encoding: gzip, chunked', `${length}\r\n${chunked}`]);
    const more = Array.from({ length: next() % 3 }, () =>
      pick([
        'Connection: content-length',
        'Connection: transfer-encoding',
        'Connection: host',
        'Connection: keep-alive, expect',
        'Expect: x',
        'TE: trailers',
        'Trailer: content-length',
        'Proxy-Connection: close',
        'Upgrade: h2c',
      ]),
    );
    const method = pick(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY']);
    const head = [`${method} /v2/_outer HTTP/${pick(['1.1', '1.1', '1.0'])}`, `Host: ${host}`, 'Connection: close'];
    const trailer = pick(['', 'Host: x\r\n']);
    const pieces = `${inner.length.toString(16)}${pick(['', ';a=b'])}\r\n${inner}\r\n0\r\n${trailer}\r\n`;
    const body = ends.includes('chunked') ? pieces : inner;
    const sent = `${[...head, ends, ...more].join('\r\n')}\r\n\r\n${body}`;
    await raw(at, sent);
    // Whoever came next on the same connection would bring it to light.
    if (round % 10 === 0) await at.ask('GET', '/v2/_next');
    assert.ok(!at.hostAsked.some(({ url }) => url === '/smuggled'), sent);
  }
  assert.ok(at.hostAsked.filter(({ url }) => url === '/v2/_outer').length > 50);
});
