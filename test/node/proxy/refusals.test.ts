// What the proxy does not do, and how it says so: nothing gets through to anything but a registry.
import assert from 'node:assert/strict';
import { isIP, type Socket } from 'node:net';
import { test } from 'node:test';
import { parseNetwork } from '../../../src/core/access/networks.ts';
import { createDial } from '../../../src/node/dial/dial.ts';
import { established, readAll, readSome, startHost, startProxy, type World } from './world.ts';
import { helloFor } from '../../fakes/client-hello.ts';

async function ask(world: World, lines: string): Promise<string> {
  const client = await world.connect();
  client.write(lines);
  return (await readAll(client)).toString('latin1');
}

const connectTo = (world: World, target: string) => ask(world, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);

const refusals: readonly (readonly [target: string, status: number, why: RegExp])[] = [
  ['example.com:443', 403, /for container registries only, and example\.com is none/],
  ['evildocker.io:443', 403, /evildocker\.io is none/],
  ['docker.io.evil.com:443', 403, /docker\.io\.evil\.com is none/],
  ['evil-auth.docker.io:443', 403, /is none/],
  ['pkg.dev:443', 403, /is none/],
  ['xpkg.dev:443', 403, /is none/],
  ['ghcr.io:22', 403, /on port 443: not on port 22/],
  ['ghcr.io:80', 403, /on port 443/],
  ['127.0.0.1:443', 403, /not for addresses/],
  ['1.1.1.1:443', 403, /not for addresses/],
  ['2130706433:443', 403, /not for addresses/],
  ['0x7f000001:443', 403, /not for addresses/],
  ['0x7f.1:443', 403, /not for addresses/],
  ['0177.0.0.1:443', 403, /not for addresses/],
  ['[::1]:443', 403, /not for addresses/],
  ['[fe80::1%25eth0]:443', 403, /not for addresses/],
  ['[::ffff:127.0.0.1]:443', 403, /not for addresses/],
];

test('a tunnel to anything but a registry is refused with a sentence, in the status line and in the body', async (t) => {
  const world = await startProxy(t, {});
  for (const [target, status, why] of refusals) {
    const answer = await connectTo(world, target);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} this proxy is for container registries only`), target);
    assert.match(head, /\r\nconnection: close(?:\r\n|$)/);
    assert.match(body, why, target);
    assert.equal(Number(/content-length: (\d+)/.exec(head)?.[1]), body.length);
    assert.doesNotMatch(body, /configuration/, 'only its owner is told how to change it');
  }
  assert.equal(world.events.filter(({ kind }) => kind === 'refused').length, refusals.length);
});

test('its owner is told the line that would allow the host; the log is told it always', async (t) => {
  const world = await startProxy(t, {}, { isOwner: (address) => address === '127.0.0.1' });
  assert.match(
    await connectTo(world, 'cdn.example.com:443'),
    /\nTo allow it, [^\n]*: proxy: \{ allow: \["cdn\.example\.com"\] \}\n$/,
  );
  const { remedy, target, address } = await world.told('refused');
  assert.deepEqual(
    [remedy, target, address],
    ['proxy: { allow: ["cdn.example.com"] }', 'CONNECT cdn.example.com:443', '127.0.0.1'],
  );
});

test('a host is taken in capitals and with the dot of the root, and dialled without', async (t) => {
  const port = await startHost(t, (socket) => void socket.pipe(socket));
  const world = await startProxy(t, { 'ghcr.io': port });
  const client = await world.connect();
  client.write('CONNECT GHCR.io.:443 HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await readSome(client, established), /^HTTP\/1\.1 200 /);
});

for (const addresses of [
  ['127.0.0.1'],
  ['169.254.169.254'],
  ['93.184.215.14', '10.0.0.1'],
  ['::1'],
  ['64:ff9b::a00:1'],
]) {
  test(`a registry's name that leads to ${addresses.join(' and ')} is refused, and nothing is dialled`, async (t) => {
    const dial = createDial({ lookUp: async () => addresses.map((address) => ({ address, family: isIP(address) })) });
    const world = await startProxy(t, {}, { dial });
    assert.match(
      await connectTo(world, 'ghcr.io:443'),
      /^HTTP\/1\.1 403 [^\r]*ghcr\.io leads to an address that is not public/,
    );
    assert.match((await world.told('refused')).remedy ?? '', /^resolve: \{ "ghcr\.io": /);
  });
}

test('a name that the system knows for this machine is refused', async (t) => {
  const world = await startProxy(t, {}, { find: () => ({ registry: 'docker.io', isRegistry: true }) });
  assert.match(
    await connectTo(world, 'localhost:443'),
    /^HTTP\/1\.1 403 [^\r]*localhost leads to an address that is not public/,
  );
});

const said: readonly (readonly [what: string, bytes: Buffer, ended: string])[] = [
  ['the name of another host', helloFor('evil.example'), 'other-name'],
  ['no name', helloFor(''), 'other-name'],
  ['the right name, and another one encrypted', helloFor('ghcr.io', Buffer.from([0xfe, 0x0d, 0, 1, 0])), 'hidden'],
  ['plain text', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'not-tls'],
  ['SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10]), 'not-tls'],
];

for (const [what, bytes, expected] of said) {
  test(`a tunnel that begins with ${what} is closed, and nothing reaches the host`, async (t) => {
    const reached: Buffer[] = [];
    const port = await startHost(t, (socket) => socket.on('data', (chunk: Buffer) => reached.push(chunk)));
    const world = await startProxy(t, { 'ghcr.io': port });
    const client = await world.connect();
    client.write('CONNECT ghcr.io:443 HTTP/1.1\r\nHost: ghcr.io:443\r\n\r\n');
    await readSome(client, established);
    client.write(bytes);
    await readAll(client);
    const { ended, sent, received } = await world.told('passed');
    assert.deepEqual([ended, sent, received], [expected, 0, 0]);
    assert.deepEqual(reached, []);
  });
}

test('who says nothing in ten seconds is not waited for', async (t) => {
  const port = await startHost(t, (socket) => void socket.resume());
  const world = await startProxy(t, { 'ghcr.io': port });
  const client = await world.connect();
  client.write('CONNECT ghcr.io:443 HTTP/1.1\r\nHost: ghcr.io:443\r\n\r\n');
  await readSome(client, established);
  client.write(helloFor('ghcr.io').subarray(0, 20));
  world.pass(9999);
  assert.equal(world.proxy.open(), 1);
  world.pass(1);
  assert.equal((await world.told('passed')).ended, 'no-hello');
});

test('a client may have so many tunnels, and one more when one of them is over', async (t) => {
  const port = await startHost(t, (socket) => void socket.resume().on('end', () => socket.end()));
  const world = await startProxy(t, { 'ghcr.io': port }, { tunnels: 2 });
  const open = async (): Promise<{ client: Socket; head: string }> => {
    const client = await world.connect();
    client.write('CONNECT ghcr.io:443 HTTP/1.1\r\nHost: ghcr.io:443\r\n\r\n');
    const head = await readSome(client, established);
    client.write(helloFor('ghcr.io'));
    return { client, head };
  };
  const [first] = [await open(), await open()];
  assert.match((await open()).head, /^HTTP\/1\.1 429 [^\r]+\r\nretry-after: \d+\r\n/);
  first.client.end();
  await world.told('passed');
  assert.match((await open()).head, /^HTTP\/1\.1 200 /);
});

test('who is not in the networks of access is refused', async (t) => {
  const access = { kind: 'networks', networks: [parseNetwork('10.0.0.0/8')] } as const;
  const world = await startProxy(t, {}, { access });
  assert.match(await connectTo(world, 'ghcr.io:443'), /^HTTP\/1\.1 403 this proxy does not serve your address/);
});

test('a request that has been here before is refused', async (t) => {
  const world = await startProxy(t, {});
  const answer = await ask(world, 'CONNECT ghcr.io:443 HTTP/1.1\r\nHost: x\r\nVia: 1.1 other, 1.1 sampan-test\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 508 /);
});

test('bytes that are no HTTP are refused like any request, and none of them is told', async (t) => {
  const world = await startProxy(t, {});
  const client = await world.connect();
  client.write(helloFor('registry.example'));
  assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 400 this is not an HTTP request\r\n/);
  assert.deepEqual(world.events, [
    {
      kind: 'refused',
      address: '127.0.0.1',
      target: 'what cannot be read',
      status: 400,
      why: 'this is not an HTTP request',
    },
  ]);
});

test('what is no request, or two in one, is refused', async (t) => {
  const world = await startProxy(t, {});
  for (const lines of [
    'CONNECT user:password@ghcr.io:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT ghcr.io HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT ghcr.io:0443 HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT ghcr..io:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /v2/ HTTP/1.1\r\nHost: ghcr.io\r\n\r\n',
    'GET https://ghcr.io/v2/ HTTP/1.1\r\nHost: ghcr.io\r\n\r\n',
    'GET http://user:password@ghcr.io/v2/ HTTP/1.1\r\nHost: ghcr.io\r\n\r\n',
    'GET http://ghcr.io/v2/ HTTP/1.1\r\nHost: ghcr.io\r\nContent-Length: 3\r\n\r\nabc',
    'GET http://ghcr.io/v2/ HTTP/1.1\r\nHost: ghcr.io\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'GET http://ghcr.io/v2/ HTTP/1.1\r\nHost : ghcr.io\r\n\r\n',
    'nonsense\r\n\r\n',
  ]) {
    assert.match(await ask(world, lines), /^HTTP\/1\.1 400 /, lines);
  }
  assert.ok(world.events.every((event) => event.kind !== 'refused' || !/password/.test(JSON.stringify(event))));
});
