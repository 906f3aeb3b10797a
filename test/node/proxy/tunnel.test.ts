// Tunnels through the real listener: bytes both ways, ends of their own, limits, and nothing left behind.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { established, readAll, readSome, startHost, startProxy, type World } from './world.ts';
import { helloFor } from '../../fakes/client-hello.ts';

const host = 'ghcr.io';
const hello = helloFor(host);

/** A client whose tunnel stands, and what it has sent. */
async function tunnel(world: World, first: Buffer = hello): Promise<Socket> {
  const client = await world.connect();
  client.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  assert.match(await readSome(client, established), /^HTTP\/1\.1 200 [^\r]+\r\n\r\n$/);
  client.write(first);
  return client;
}

test('bytes go both ways, each way to its own end, and one line tells how many', async (t) => {
  const port = await startHost(t, (socket) => void echo(socket));
  async function echo(socket: Socket): Promise<void> {
    const all = await readAll(socket);
    socket.end(Buffer.concat([all, Buffer.from('!')]));
  }
  const world = await startProxy(t, { [host]: port });
  const client = await tunnel(world);
  const payload = Buffer.alloc(3_000_000, 'x');
  client.end(payload);
  const answer = await readAll(client);
  assert.ok(answer.equals(Buffer.concat([hello, payload, Buffer.from('!')])));
  const { sent, received, ended, address, registry, how } = await world.told('passed');
  assert.deepEqual([sent, received], [hello.length + payload.length, answer.length]);
  assert.deepEqual([ended, address, registry, how], ['done', '127.0.0.1', 'ghcr.io', 'tunnel']);
  assert.equal(world.proxy.open(), 0);
});

test('a client that does not read holds its host back, and gets everything when it does', async (t) => {
  const size = 50_000_000;
  let sent = 0;
  const full = Promise.withResolvers<void>();
  const port = await startHost(t, (socket) => {
    const chunk = Buffer.alloc(64 * 1024, 'y');
    const fill = (): void => {
      while (sent < size) {
        sent += chunk.length;
        if (!socket.write(chunk)) break;
      }
      if (sent >= size) socket.end();
    };
    socket.on('drain', fill).once('data', fill);
    // When the kernel takes no more, the last write stays where it is.
    socket.setTimeout(300, () => full.resolve());
  });
  const world = await startProxy(t, { [host]: port });
  const client = await tunnel(world);
  await full.promise;
  assert.ok(sent < size, 'the host was held back');
  assert.equal((await readAll(client)).length, Math.ceil(size / 65_536) * 65_536);
});

for (const [who, reset] of [
  ['the client', true],
  ['the host', false],
] as const) {
  test(`when ${who} breaks off, the other one is told, and no descriptor stays behind`, async (t) => {
    const hosts: Socket[] = [];
    const port = await startHost(t, (socket) => {
      hosts.push(socket);
      socket.once('data', () => socket.write('answer'));
    });
    const world = await startProxy(t, { [host]: port });
    const before = descriptors();
    const client = await tunnel(world);
    await readSome(client, (text) => text === 'answer');
    assert.ok(descriptors() > before);
    const [broken, other] = reset ? [client, hosts[0]] : [hosts[0], client];
    other?.resume();
    broken?.resetAndDestroy();
    await new Promise((resolve) => other?.once('close', resolve));
    if (!broken?.closed) await new Promise((resolve) => broken?.once('close', resolve));
    assert.equal((await world.told('passed')).ended, reset ? 'client' : 'upstream');
    assert.equal(descriptors(), before);
  });
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
