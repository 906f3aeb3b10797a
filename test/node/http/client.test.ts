// Who a client is, where somebody else ended its TLS; and forms that are no request for a token.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { parseNetwork } from '../../../src/core/access/networks.ts';
import { clientOf, type Edge, isPassedOn } from '../../../src/node/http/client.ts';
import { createEdge } from '../../../src/node/edge.ts';
import { readForm } from '../../../src/node/http/form.ts';

function seen(remoteAddress: string | undefined, headers: Readonly<Record<string, string>> = {}) {
  const request = { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
  return clientOf(request, ['10.0.0.0/8', '::1'].map(parseNetwork));
}

describe('a client', () => {
  test('is its connection’s peer, whatever it writes', () => {
    const lies = { 'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https' };
    assert.deepEqual(seen('192.0.2.1', lies), { address: '192.0.2.1', scheme: 'http', tls: 'none' });
    assert.deepEqual(seen('::ffff:192.0.2.1'), { address: '192.0.2.1', scheme: 'http', tls: 'none' });
    assert.deepEqual(seen('fe80::1%eth0'), { address: 'fe80::1', scheme: 'http', tls: 'none' });
    assert.equal(seen(undefined), undefined);
  });

  for (const [what, forwarded, address] of [
    ['whom a trusted peer names', '192.0.2.1', '192.0.2.1'],
    ['the last that is none of the trusted ones', '10.9.9.9, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['not whom the client itself put before', '127.0.0.1, 192.0.2.1', '192.0.2.1'],
    ['the peer, where what it says is no address', '192.0.2.1, unknown', '10.0.0.1'],
    ['the peer, where it names nobody', '', '10.0.0.1'],
    ['the peer, where it names only trusted ones', '10.1.1.1', '10.0.0.1'],
  ] as const) {
    test(`is ${what}`, () => {
      assert.deepEqual(seen('10.0.0.1', { 'x-forwarded-for': forwarded }), { address, scheme: 'http', tls: 'none' });
    });
  }

  test('came by the scheme that the nearest trusted peer names', () => {
    for (const [proto, scheme] of [
      ['https', 'https'],
      ['http, HTTPS', 'https'],
      ['https, http', 'http'],
      ['x', 'http'],
    ] as const) {
      assert.equal(seen('::1', { 'x-forwarded-proto': proto })?.scheme, scheme, proto);
    }
  });
});

test('a request is passed on if it says so, unless who is trusted tells whose it is', () => {
  const passed = (remoteAddress: string, headers: Readonly<Record<string, string>>) =>
    isPassedOn({ socket: { remoteAddress }, headers } as unknown as IncomingMessage, [parseNetwork('10.0.0.0/8')]);
  const told = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' };
  assert.equal(passed('127.0.0.1', {}), false);
  assert.equal(passed('127.0.0.1', told), true, 'and it is not believed');
  assert.equal(passed('10.0.0.1', {}), false);
  assert.equal(passed('10.0.0.1', told), false);
  for (const [name, value] of Object.entries({ forwarded: 'for=192.0.2.1', 'x-forwarded-proto': 'https' })) {
    assert.equal(passed('10.0.0.1', { [name]: value }), true);
  }
  for (const nobody of ['', 'unknown', '192.0.2.1:80']) {
    assert.equal(passed('10.0.0.1', { 'x-forwarded-for': nobody }), true, nobody);
  }
});

describe('the TLS of a client', () => {
  const secured = (remoteAddress: string, headers: Readonly<Record<string, string>> = {}, edge?: Edge) => {
    const socket = Object.create(TLSSocket.prototype, {
      remoteAddress: { value: remoteAddress },
      getProtocol: { value: () => 'TLSv1.2' },
    });
    return clientOf({ socket, headers } as IncomingMessage, [parseNetwork('10.0.0.0/8')], edge);
  };

  test('is that of its own connection', () => {
    assert.deepEqual(secured('192.0.2.1'), { address: '192.0.2.1', scheme: 'https', tls: 'TLSv1.2' });
    assert.equal(secured('192.0.2.1', { 'x-forwarded-proto': 'http' })?.scheme, 'https');
    assert.equal(seen('192.0.2.1')?.tls, 'none');
  });

  test('is not that of whoever stands between, who does not tell which it is', () => {
    const told = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' };
    assert.deepEqual(secured('10.0.0.1', told), { address: '192.0.2.1', scheme: 'https', tls: 'unknown' });
    assert.deepEqual(secured('10.0.0.1', { 'x-forwarded-proto': 'http' }), {
      address: '10.0.0.1',
      scheme: 'http',
      tls: 'none',
    });
    assert.deepEqual(secured('10.0.0.1'), { address: '10.0.0.1', scheme: 'https', tls: 'TLSv1.2' });
  });

  test('is what a guard tells who shows the secret, and unknown if that is not to be understood', () => {
    const secret = 'e'.repeat(32);
    const edge = createEdge({ secret, headers: { protocol: 'x-tls', secret: 'x-edge' } });
    for (const [headers, tls] of [
      [{ 'x-tls': 'TLSv1', 'x-edge': secret }, 'TLSv1'],
      [{ 'x-tls': 'none', 'x-edge': secret }, 'none'],
      [{ 'x-tls': 'spoof, TLSv1', 'x-edge': secret }, 'unknown'],
      [{ 'x-edge': secret }, 'unknown'],
      [{ 'x-tls': 'TLSv1', 'x-edge': 'f'.repeat(32) }, 'unknown'],
      [{ 'x-tls': 'TLSv1', 'x-edge': `${secret}e` }, 'unknown'],
      [{ 'x-tls': 'TLSv1' }, 'unknown'],
    ] as const) {
      assert.equal(edge(headers), tls, JSON.stringify(headers));
      // Never that of the connection, which is Cloudflare's while the guard fails open.
      assert.equal(secured('192.0.2.1', headers, edge)?.tls, tls);
    }
  });
});

describe('a form', () => {
  const type = 'application/x-www-form-urlencoded; charset=utf-8';
  const of = (headers: Readonly<Record<string, string>>, chunks: () => Promise<Buffer[]>) =>
    readForm({ headers, toArray: chunks } as unknown as IncomingMessage);
  const never = () => Promise.reject(new Error('it was read'));

  test('is read whole', async () => {
    const chunks = async () => [Buffer.from('a='), Buffer.from('b')];
    assert.equal(await of({ 'content-type': type, 'content-length': '3' }, chunks), 'a=b');
  });

  test('of another type, of no length, or too large, is not read at all', async () => {
    await assert.rejects(of({ 'content-type': 'application/json', 'content-length': '3' }, never), { status: 415 });
    await assert.rejects(of({ 'content-type': type }, never), { status: 411 });
    await assert.rejects(of({ 'content-type': type, 'content-length': '65537' }, never), { status: 413 });
  });

  test('that breaks off is the client’s mistake', async () => {
    await assert.rejects(of({ 'content-type': type, 'content-length': '9' }, never), { status: 400 });
  });
});
