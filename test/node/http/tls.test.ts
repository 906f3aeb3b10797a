// The listener that ends TLS itself: real handshakes on loopback, by Node's own client, curl and openssl.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { connect as connectPlain } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { connect, type SecureContextOptions, type SecureVersion, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { ByteStream, Reply } from '../../../src/core/mirror/reply.ts';
import { need } from '../../lab/need.ts';
import { makePair, type Pair, temporary } from '../pair.ts';
import { hold } from './held-file.ts';
import { ask, blobPath, bytesReply, exchange, RawClient, replyOf, serve } from './scripted-server.ts';
import type { ReadCached } from '../../../src/node/http/sendfile.ts';
import { ways } from './ways.ts';

const run = promisify(execFile);
const ok = async (): Promise<Reply> => bytesReply('ok');

/** `show` exchanges the certificate. */
const { sendfile } = ways.at(-1)!;

async function serveTls(t: TestContext, pull = ok, minVersion: SecureVersion = 'TLSv1.2', files = sendfile) {
  const directory = temporary(t);
  const pair = makePair(directory, 'first');
  const contextOf = ({ certificate, key }: Pair): SecureContextOptions => ({
    cert: readFileSync(certificate),
    key: readFileSync(key),
    minVersion,
  });
  let show: (context: SecureContextOptions) => void = () => assert.fail();
  const tls = { context: contextOf(pair), onExchange: (take: typeof show) => void (show = take) };
  const served = await serve(t, pull, { tls, sendfile: files });
  return { ...served, directory, pair, show: (next: Pair) => show(contextOf(next)) };
}

async function get(port: number, pair: Pair, options: https.RequestOptions = {}) {
  const agent = options.agent ?? new https.Agent({ maxCachedSessions: 0 });
  const request = https.get({ host: '127.0.0.1', port, path: blobPath, ca: pair.ca, agent, ...options });
  const [response] = (await once(request, 'response')) as [Awaited<ReturnType<typeof once>>[0]];
  const socket = response.socket as TLSSocket;
  const [subject, alpn] = [socket.getPeerCertificate().subject.CN, socket.alpnProtocol];
  return { status: response.statusCode as number, body: String(await response.toArray()), subject, alpn, socket };
}

describe('a listener with a certificate', { skip: need('openssl', 'curl') }, () => {
  test('speaks HTTP/1.1 by TLS 1.2 and 1.3, and tells which', async (t) => {
    const { port, pair, event } = await serveTls(t);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const agent = new https.Agent({ ALPNProtocols: ['h2', 'http/1.1'] });
      const { status, body, alpn } = await get(port, pair, { maxVersion: version, agent });
      assert.deepEqual([status, body, alpn], [200, 'ok', 'http/1.1']);
      assert.equal((await event('served')).tls, version);
    }
  });

  test('is understood by curl and openssl', async (t) => {
    const { port, pair } = await serveTls(t);
    const curl = (...args: string[]) =>
      run('curl', ['-sS', '--cacert', pair.certificate, ...args, `https://127.0.0.1:${port}${blobPath}`]);
    assert.equal((await curl('--tls-max', '1.2')).stdout, 'ok');
    assert.equal((await curl('--tlsv1.3')).stdout, 'ok');
    assert.equal((await curl('--http1.0')).stdout, 'ok');
    const client = run('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-tls1_2',
      '-CAfile',
      pair.certificate,
    ]);
    client.child.stdin?.end();
    assert.match((await client).stdout, /Protocol *: TLSv1\.2[^]*Verify return code: 0 \(ok\)/);
  });

  test('sends files through itself: no byte goes to the client as it lies on the disk', async (t) => {
    const content = Buffer.alloc(1_000_000, 'as it lies on the disk');
    const { file } = hold(t, content);
    const { port, pair, event } = await serveTls(t, async () => replyOf({ kind: 'file', file, range: undefined }));
    // What `get` puts between chunks.
    assert.ok((await get(port, pair)).body.replaceAll(',', '') === content.toString());
    assert.equal((await event('served')).poured, 0);
  });

  test('leaves turns to others while it sends what is read at once', { skip: sendfile === undefined }, async (t) => {
    const content = Buffer.alloc(3_000_000, 'as it lies on the disk');
    const { file } = hold(t, content);
    const reads: number[] = [];
    let [round, ends] = [0, false];
    t.after(() => (ends = true));
    const count = (): void => {
      round += 1;
      if (!ends) setImmediate(count);
    };
    const readCached: ReadCached = (...part) => {
      reads[round] = (reads[round] ?? 0) + 1;
      return sendfile!.readCached!(...part);
    };
    const pull = async () => replyOf({ kind: 'file', file, range: undefined });
    const { port, pair } = await serveTls(t, pull, 'TLSv1.2', { ...sendfile!, readCached });
    setImmediate(count);
    assert.ok((await get(port, pair)).body.replaceAll(',', '') === content.toString());
    // Of 46. The first of them has another one read while it is written.
    assert.ok(Math.max(...reads.filter(Boolean)) <= 4);
    assert.ok(reads.filter(Boolean).length > 15);
  });

  test('takes nothing older than it should', async (t) => {
    const { port, pair, events, event } = await serveTls(t, ok, 'TLSv1.3');
    await assert.rejects(get(port, pair, { maxVersion: 'TLSv1.2' }), { code: 'EPROTO' });
    assert.equal((await get(port, pair)).status, 200);
    await event('served');
    assert.equal(events.length, 1);
  });

  test('tells who speaks plain HTTP to it that it does not', async (t) => {
    const { port } = await serveTls(t);
    const { status, headers, body } = await ask(port, blobPath);
    assert.deepEqual([status, headers.connection], [400, 'close']);
    assert.match(body.toString(), /"message":"this address speaks https, not http"/);
  });

  test('shows another certificate to who comes after an exchange, and drops nobody for it', async (t) => {
    const gate = Promise.withResolvers<void>();
    async function* slowly(): ByteStream {
      yield Buffer.from('before ');
      await gate.promise;
      yield Buffer.from('after');
    }
    let pulls = 0;
    const { port, directory, pair, show } = await serveTls(t, async () =>
      pulls++ === 0 ? replyOf({ kind: 'stream', stream: slowly() }) : bytesReply('ok'),
    );
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const running = once(https.get({ host: '127.0.0.1', port, path: blobPath, ca: pair.ca, agent }), 'response');
    const [response] = await running;
    await once(response, 'readable');
    const next = makePair(directory, 'next');
    show(next);
    assert.equal((await get(port, next)).subject, 'next');
    await assert.rejects(get(port, pair), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    gate.resolve();
    assert.equal(String(await response.toArray()), 'before ,after');
    // The connection that was there goes on, with what it was shown.
    const again = await get(port, pair, { agent });
    assert.deepEqual([again.body, again.subject], ['ok', 'first']);
  });

  test('never ends a body that broke off as if it were whole', async (t) => {
    async function* broken(): ByteStream {
      yield Buffer.from('half');
      throw new Error('the upstream has gone');
    }
    const { port, pair } = await serveTls(t, async () => replyOf({ kind: 'stream', stream: broken() }));
    for (const version of ['--http1.0', '--http1.1']) {
      const args = ['-sS', '--cacert', pair.certificate, version, `https://127.0.0.1:${port}${blobPath}`];
      await assert.rejects(run('curl', args), (error: { code: number; stdout: string }) => {
        assert.equal(error.stdout, 'half');
        // 18: chunks are missing; 56: the connection was reset, for nothing else tells where there is no length.
        return version === '--http1.0' ? error.code === 56 : error.code === 18;
      });
    }
  });

  test('outlives every handshake that comes to nothing', async (t) => {
    const { port, pair } = await serveTls(t);
    assert.doesNotMatch(await exchange(t, port, `\u0016${'nonsense'.repeat(100)}`), /HTTP/);
    assert.match(await exchange(t, port, '\u0000'), /^HTTP\/1\.1 400 /);
    const leaving = await RawClient.open(t, port);
    leaving.socket.resetAndDestroy();
    const half = await RawClient.open(t, port);
    half.send('\u0016\u0003\u0001');
    half.socket.end();
    await half.closed();
    const distrustful = connect({ host: '127.0.0.1', port });
    await assert.rejects(once(distrustful, 'secureConnect'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    assert.equal((await get(port, pair)).status, 200);
  });

  test('closes at once who has not said anything yet, or not all of a handshake', async (t) => {
    const { port, face } = await serveTls(t);
    const silent = await RawClient.open(t, port);
    const half = await RawClient.open(t, port);
    half.send('\u0016\u0003\u0001\u0002\u0000');
    // Comes after both: the server has taken them by then.
    const third = connectPlain(port, '127.0.0.1').end('x');
    await once(third.resume(), 'close');
    // Its clock stands still, so nothing is closed for having waited too long.
    await face.close(1000);
    await Promise.all([silent.closed(), half.closed()]);
  });
});
