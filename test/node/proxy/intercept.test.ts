// Connections whose TLS ends here: who is taken, in which words, and what becomes of bodies that break.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { describe, it } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Gate } from '../../fakes/registry/gate.ts';
import { host, type Intercepted, intercepted } from './interception.ts';

async function greet({ port, ca }: Intercepted, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: host, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

describe('the handshake', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is ${version}, for that host, with HTTP/1.1`, async () => {
      const at = await intercepted();
      const socket = await greet(at, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
      const { subjectaltname, valid_to: until } = socket.getPeerCertificate();
      assert.equal(socket.authorized, true);
      assert.equal(subjectaltname, `DNS:${host}`);
      assert.ok(Date.parse(until) < Date.now() + 31 * 86_400_000);
      assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, 'http/1.1']);
      socket.destroy();
    });
  }

  it('ends for whoever speaks HTTP/2 alone, TLS 1.1, or no TLS', async () => {
    const at = await intercepted();
    await assert.rejects(greet(at, { ALPNProtocols: ['h2'] }), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
    await assert.rejects(greet(at, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), {
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
    const plain = connectPlain(at.port, '127.0.0.1').on('error', () => {});
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await once(plain, 'close');
    const all = await Promise.all(at.traffic);
    assert.deepEqual(
      all.map(({ ended, error }) => [ended, error instanceof Error]),
      Array.from({ length: 3 }, () => ['client', true]),
    );
  });

  it('ends where the client does not trust the authority, and where it leaves', async () => {
    const at = await intercepted();
    await assert.rejects(greet(at, { ca: [] }), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    const plain = connectPlain(at.port, '127.0.0.1');
    await once(plain, 'connect');
    plain.destroy();
    await once(plain, 'close');
    for (const { ended } of await Promise.all(at.traffic)) assert.match(ended, /client|done/);
  });
});

it('one connection takes many requests, and what went over it is counted', async () => {
  const at = await intercepted();
  for (let each = 0; each < 3; each += 1) assert.equal((await at.ask('GET', '/v2/')).status, 404);
  assert.equal(at.traffic.length, 1);
  const last = await at.ask('GET', '/v2/', { headers: { connection: 'close' } });
  assert.equal(last.headers.connection, 'close');
  const { sent, received, ended } = await (at.traffic[0] ?? assert.fail());
  assert.ok(sent > 500 && received > 500 && sent < 10_000 && received < 10_000);
  assert.equal(ended, 'done');
});

describe('a body that was announced', () => {
  const push = ({ port, ca }: Intercepted) =>
    request({
      host: '127.0.0.1',
      port,
      ca,
      servername: host,
      agent: false,
      method: 'PUT',
      path: '/v2/library/app/blobs/uploads/1',
      headers: { host, expect: '100-continue', 'content-length': 4, connection: 'keep-alive' },
    });

  it('comes when the registry is ready for it', async () => {
    const at = await intercepted();
    at.answersAtOnce((incoming, response) => {
      response.writeContinue();
      incoming.on('data', (chunk: Buffer) => response.end(chunk));
    });
    const asked = push(at);
    asked.flushHeaders();
    await once(asked, 'continue');
    asked.end('four');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal((await answer.toArray()).join(''), 'four');
  });

  it('stays with the client if the registry refuses it', async () => {
    const at = await intercepted();
    at.answersAtOnce((_, response) => response.writeHead(401).end());
    const asked = push(at);
    asked.on('error', () => {});
    asked.flushHeaders();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    assert.deepEqual([answer.statusCode, answer.headers.connection], [401, 'close']);
  });
});

it('after an answer to a body that is still on its way, the connection is of no more use', async () => {
  const at = await intercepted();
  at.answersAtOnce((_, response) => response.writeHead(401).end());
  const { port, ca } = at;
  const to = { host: '127.0.0.1', port, ca, servername: host, agent: false as const };
  const asked = request({
    ...to,
    method: 'PATCH',
    path: '/v2/a/blobs/uploads/1',
    headers: { host, connection: 'keep-alive' },
  });
  asked.on('error', () => {}).write('some');
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.deepEqual([answer.statusCode, answer.headers.connection], [401, 'close']);
  asked.destroy();
});

it('an answer that cannot be passed on is a mistake of the registry, whose connection is let go of', async () => {
  const at = await intercepted();
  const closed = Promise.withResolvers<void>();
  at.answers(({ socket }) => {
    socket.once('close', () => closed.resolve());
    socket.write('HTTP/1.1 042 Odd\r\ncontent-length: 10\r\n\r\nsome');
  });
  assert.equal((await at.ask('GET', '/v2/_catalog')).status, 500);
  await closed.promise;
});

describe('a body that breaks', () => {
  it('of an answer, breaks for the client too', async () => {
    const at = await intercepted();
    at.answers((_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('some', () => response.destroy());
    });
    await assert.rejects(at.ask('GET', '/v2/_catalog'), { code: 'ECONNRESET' });
  });

  it('of an answer whose end nothing but the end of its connection tells, is ended in that way for the client too', async () => {
    const at = await intercepted();
    at.answers(({ socket }) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nas far as it came'));
    const { headers, body } = await at.ask('GET', '/v2/_catalog');
    assert.equal(body.toString(), 'as far as it came');
    assert.deepEqual(
      [headers['transfer-encoding'], headers['content-length'], headers.connection],
      [undefined, undefined, 'close'],
    );
  });

  it('of a push, breaks for the registry too', async () => {
    const at = await intercepted();
    const gate = new Gate();
    const broken = Promise.withResolvers<unknown>();
    at.answersAtOnce((incoming) => {
      incoming.once('data', () => gate.pass(1)).once('error', broken.resolve);
    });
    const { port, ca } = at;
    const to = { host: '127.0.0.1', port, ca, servername: host, agent: false as const };
    const asked = request({ ...to, method: 'PATCH', path: '/v2/a/blobs/uploads/1', headers: { host } });
    asked.on('error', () => {});
    asked.write('some');
    await gate.enter();
    asked.destroy();
    assert.equal(((await broken.promise) as NodeJS.ErrnoException).code, 'ECONNRESET');
  });

  it('of a push, because its chunks turn into nonsense, is refused, and breaks for the registry', async () => {
    const at = await intercepted();
    const gate = new Gate();
    const broken = Promise.withResolvers<unknown>();
    at.answersAtOnce((incoming) => {
      incoming.once('data', () => gate.pass(1)).once('error', broken.resolve);
    });
    const client = await greet(at);
    const answer = client.toArray();
    client.write(
      `PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n`,
    );
    await gate.enter();
    client.write('nonsense');
    assert.match((await answer).join(''), /^HTTP\/1\.1 400 [^]*this is not an HTTP request/);
    assert.equal(((await broken.promise) as NodeJS.ErrnoException).code, 'ECONNRESET');
  });

  it('of an answer that nobody waits for any more, is let go of', async () => {
    const at = await intercepted();
    const answering = Promise.withResolvers<ServerResponse>();
    at.answers((_, response) => {
      response.writeHead(200).flushHeaders();
      answering.resolve(response);
    });
    const { port, ca } = at;
    const asked = request({
      host: '127.0.0.1',
      port,
      ca,
      servername: host,
      agent: false,
      path: '/v2/',
      headers: { host },
    });
    asked.on('error', () => {}).end();
    const response = await answering.promise;
    asked.destroy();
    await once(response, 'close');
    assert.equal(response.writableFinished, false);
  });
});

it('a registry that cannot be reached is a 503 that says so', async () => {
  const at = await intercepted();
  at.answers((_, response) => response.destroy());
  const told = await at.ask('POST', '/v2/a/blobs/uploads/');
  assert.equal(told.status, 503);
  assert.match(told.body.toString(), /registry-1\.docker\.io cannot be reached/);
});

it('a registry that goes over to another protocol has given no answer', async () => {
  const at = await intercepted();
  at.answers(({ socket }) => socket.write('HTTP/1.1 101 Odd\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'));
  assert.equal((await at.ask('GET', '/v2/_catalog')).status, 503);
});

it('a real host that cannot prove who it is, is shown no login', async () => {
  const at = await intercepted('registry-1.docker.io.example.com');
  assert.equal((await at.ask('GET', '/v2/', { headers: { authorization: 'Basic c2VjcmV0' } })).status, 503);
  assert.deepEqual(at.hostAsked, []);
  const asked = at.events.find(({ kind }) => kind === 'asked');
  assert.equal(asked?.kind === 'asked' && (asked.error as Error).cause instanceof Error, true);
});

it('a connection that the registry closed between two requests is nothing that a client notices', async () => {
  const at = await intercepted();
  let first = true;
  at.answers((incoming, response) => {
    if (first) response.once('close', () => incoming.socket.once('data', () => incoming.socket.destroy()));
    first = false;
    response.writeHead(200).end('well');
  });
  for (let each = 0; each < 2; each += 1) assert.equal((await at.ask('GET', '/v2/')).body.toString(), 'well');
});
