// What the guard tells an origin, and that nothing else of a request or an answer is changed on its way.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { guarded, type Sent } from './guarded.ts';

const told = 'x-client-ssl-protocol';
const cipher = 'x-client-ssl-cipher';

describe('the origin is told', () => {
  const w = guarded();

  test('each version of TLS, and the cipher', async () => {
    for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3', 'QUIC']) {
      await w.send({ cf: { tlsVersion: version, tlsCipher: 'AEAD-AES128-GCM-SHA256' } });
      const { headers } = w.origin.log.at(-1)!;
      assert.deepEqual([headers[told], headers[cipher]], [version, 'AEAD-AES128-GCM-SHA256']);
    }
  });

  test('none, where Cloudflare does not know', async () => {
    const unknown: readonly Sent[] = [{}, { cf: {} }, { cf: { tlsVersion: '', tlsCipher: '' } }];
    for (const sent of unknown) {
      await w.send(sent);
      const { headers } = w.origin.log.at(-1)!;
      assert.deepEqual([headers[told], headers[cipher]], ['none', 'none']);
    }
  });

  test('nothing of what a client says of itself', async () => {
    const claims = {
      'X-Client-SSL-Protocol': ['TLSv1.3', 'TLSv1.3'],
      'x-client-ssl-CIPHER': 'best',
      'X-Edge-Secret': 'mine',
      // CGI makes one variable of these and those.
      X_Client_SSL_Protocol: 'TLSv1.3',
      'x-client_ssl-cipher': 'best',
      X_Edge_Secret: 'mine',
      'X.Edge.Secret': 'mine',
    };
    await w.send({ headers: claims, cf: { tlsVersion: 'TLSv1.1' } });
    const { headers } = w.origin.log[0]!;
    const ours = Object.entries(headers).filter(([name]) => /^x.(?:client.ssl|edge)/.test(name));
    assert.deepEqual(Object.fromEntries(ours), { [told]: 'TLSv1.1', [cipher]: 'none' });
  });
});

describe('with names of its own and a secret', () => {
  const secret = 'nobody-guesses-this'.padEnd(32, '!');
  const w = guarded({
    config: { headers: { protocol: 'X-TLS', cipher: 'X-TLS-Cipher', secret: 'X-From-Edge' } },
    secrets: { EDGE_SECRET: secret },
  });

  test('the origin is told under these names, with the secret, whatever the client claims', async () => {
    const claims = { 'x-tls': 'TLSv1.3', 'x-from-edge': 'mine', [told]: 'TLSv1.3' };
    await w.send({ headers: claims, cf: { tlsVersion: 'TLSv1.2' } });
    const { headers } = w.origin.log[0]!;
    assert.deepEqual([headers['x-tls'], headers['x-tls-cipher'], headers['x-from-edge']], ['TLSv1.2', 'none', secret]);
    // It is nobody's then, and passed on as any other.
    assert.equal(headers[told], 'TLSv1.3');
  });
});

describe('with something wrong about Sentry', () => {
  const w = guarded({ config: { fail: 'closed', sentry: { sample_rate: 2 } } });

  test('the origin is told as ever', async () => {
    const { status } = await w.send({ cf: { tlsVersion: 'TLSv1.2' } });
    assert.deepEqual([status, w.origin.log[0]?.headers[told]], [200, 'TLSv1.2']);
  });
});

describe('nothing else is changed', () => {
  const w = guarded();

  test('of requests: method, target, headers and body', async () => {
    const body = gzipSync('a form').toString('latin1');
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT']) {
      const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
      const target = '/a//b/%2e%2F%41?x=%20&&y=a+b&redirect=//c';
      const headers = {
        authorization: 'Bearer token',
        cookie: 'a=b; c=d',
        'accept-encoding': 'zstd',
        'x-forwarded-for': '203.0.113.9',
        range: 'bytes=1-',
        'content-encoding': 'gzip',
        'if-none-match': '"x"',
      };
      await w.send({ method, target, headers, ...(hasBody && { body }) });
      const came = w.origin.log.at(-1)!;
      assert.deepEqual([came.method, came.target], [method, target]);
      for (const [name, value] of Object.entries(headers)) assert.equal(came.headers[name], value, `${method} ${name}`);
      assert.equal(came.body, hasBody ? Buffer.from(body).toString() : '');
    }
  });

  test('of answers: status, headers, several cookies', async () => {
    for (const status of [200, 204, 206, 299, 304, 401, 404, 429, 500, 503]) {
      w.origin.answer = (_, response) => {
        const headers = { 'set-cookie': ['a=b', 'c=d'], 'retry-after': '7', etag: '"x"', 'cache-control': 'max-age=5' };
        response.writeHead(status, 'As It Likes', headers).end();
      };
      const { status: came, headers } = await w.send({});
      assert.equal(came, status);
      assert.deepEqual(headers['set-cookie'], ['a=b', 'c=d']);
      assert.deepEqual([headers['retry-after'], headers.etag, headers['cache-control']], ['7', '"x"', 'max-age=5']);
    }
  });

  test('of bodies: they come as they are encoded, or as they are not, and of their length', async () => {
    const plain = Buffer.from('hello '.repeat(1000));
    const bodies: readonly (readonly [string, Buffer])[] = [
      ['gzip', gzipSync(plain)],
      ['br', brotliCompressSync(plain)],
      ['zstd', zstdCompressSync(plain)],
      ['identity', plain],
      // It says so, and is not.
      ['gzip', plain],
    ];
    for (const [encoding, body] of bodies) {
      w.origin.answer = (request, response) => {
        response.writeHead(200, { 'content-encoding': encoding, 'content-length': body.length });
        response.end(request.method === 'HEAD' ? undefined : body);
      };
      for (const method of ['GET', 'HEAD']) {
        const answer = await w.send({ method });
        assert.equal(answer.headers['content-encoding'], encoding);
        assert.equal(answer.headers['content-length'], String(body.length));
        assert.deepEqual(answer.body, method === 'GET' ? body : Buffer.alloc(0));
      }
    }
  });

  test('a redirect is the client’s to follow', async () => {
    w.origin.answer = (_, response) => void response.writeHead(307, { location: '/elsewhere' }).end();
    const { status, headers } = await w.send({ method: 'POST', body: 'x' });
    assert.deepEqual([status, headers.location, w.origin.log.length], [307, '/elsewhere', 1]);
  });
});
