// The first message of TLS: whose name is in it, however it is cut, and what is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import fc from 'fast-check';
import { readClientHello } from '../../../src/node/proxy/client-hello.ts';
import { helloFor, messageOf, recordOf, vector } from '../../fakes/client-hello.ts';

/** What Node's own TLS says first. */
function realHello(options: tls.ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read() {}, write: (chunk: Buffer) => resolve(chunk) });
    tls.connect({ socket: wire, ...options }).on('error', () => {});
  });
}

test('the name is read from what real clients send', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const hello = await realHello({ servername: 'Registry-1.docker.io', minVersion: version, maxVersion: version });
    assert.deepEqual(readClientHello(hello), { name: 'registry-1.docker.io' });
  }
  assert.deepEqual(readClientHello(await realHello({})), { name: undefined });
});

test('as long as not all of it is here, more is asked for: however many segments and records it comes in', () => {
  const whole = helloFor('ghcr.io');
  for (let end = 0; end < whole.length; end++) assert.equal(readClientHello(whole.subarray(0, end)), 'more');
  const message = whole.subarray(5);
  const third = Math.ceil(message.length / 3);
  const cut = [0, 1, 2].map((part) => recordOf(message.subarray(part * third, (part + 1) * third)));
  const records = Buffer.concat(cut);
  assert.deepEqual(readClientHello(records), { name: 'ghcr.io' });
  for (let end = 0; end < records.length; end++) assert.equal(readClientHello(records.subarray(0, end)), 'more');
  assert.deepEqual(readClientHello(Buffer.concat([whole, Buffer.from('what follows')])), { name: 'ghcr.io' });
});

const extension = (type: number, data: Buffer) => Buffer.concat([Buffer.from([0, type]), vector(2, data)]);
const nameList = (...names: string[]) =>
  vector(2, Buffer.concat(names.map((name) => Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))]))));

test('one that has another one encrypted in it tells no name, wherever that stands', () => {
  const inner = Buffer.concat([Buffer.from([0xfe, 0x0d]), vector(2, Buffer.alloc(200, 9))]);
  assert.equal(readClientHello(helloFor('ghcr.io', inner)), 'hidden');
  assert.equal(
    readClientHello(recordOf(messageOf(Buffer.concat([inner, extension(0, nameList('ghcr.io'))])))),
    'hidden',
  );
});

test('what is no ClientHello is known for it at once', () => {
  const hello = helloFor('ghcr.io');
  const others: Readonly<Record<string, Buffer>> = {
    'plain text': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'SSL 2': Buffer.from([0x80, 0x2e, 1, 3, 1]),
    'an alert': Buffer.from([21, 3, 3, 0, 2, 2, 80]),
    'another message': recordOf(Buffer.concat([Buffer.from([2]), vector(3, Buffer.alloc(40))])),
    'an empty record': recordOf(Buffer.alloc(0)),
    'two names': recordOf(messageOf(extension(0, nameList('ghcr.io', 'evil.example')))),
    'two lists of names': recordOf(
      messageOf(Buffer.concat([extension(0, nameList('ghcr.io')), extension(0, nameList('x'))])),
    ),
    'a list that is longer than its extension': recordOf(messageOf(extension(0, Buffer.from([0, 99, 0, 0, 1, 65])))),
    'something behind its extensions': recordOf(
      Buffer.concat([Buffer.from([1]), vector(3, Buffer.concat([hello.subarray(9), Buffer.from([0])]))]),
    ),
    'a message that is too large': recordOf(Buffer.from([1, 0, 0x40, 1])),
    'too many records': Buffer.concat(Array.from({ length: 65 }, (_, at) => recordOf(hello.subarray(5 + at, 6 + at)))),
  };
  for (const [what, bytes] of Object.entries(others)) assert.equal(readClientHello(bytes), 'not-tls', what);
});

test('any bytes are something, and quickly', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (noise, at) => {
      const bytes = Buffer.concat([helloFor('ghcr.io').subarray(0, at), noise]);
      const hello = readClientHello(bytes);
      assert.ok(typeof hello === 'string' || hello.name === undefined || hello.name.length <= 65_535);
    }),
  );
});
