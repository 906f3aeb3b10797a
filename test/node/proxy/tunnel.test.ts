// Tunnels through the real listener: bytes both ways, ends of their own, limits, and nothing left behind.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { createDial } from '../../../src/node/dial/dial.ts';
import { pseudonym } from '../../../src/node/pseudonym.ts';
import { established, readAll, readSome, startHost, startProxy, type World } from './world.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
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

test('a proxy on the way is told of all by which the request came, so that a circle of them is seen', async (t) => {
  const heard = Promise.withResolvers<string>();
  const port = await startHost(t, (socket) => heard.resolve(readSome(socket, established)));
  const dial = createDial({ via: { scheme: 'http', host: '127.0.0.1', port, login: undefined } });
  const world = await startProxy(t, {}, { dial });
  const client = await world.connect();
  client.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: x\r\nVia: 1.0 one, 1.1 two\r\nVia: 1.1 three\r\n\r\n`);
  assert.match(
    await heard.promise,
    new RegExp(`\\r\\nVia: 1\\.0 one, 1\\.1 two, 1\\.1 three, 1\\.1 ${pseudonym}\\r\\n`),
  );
});

test('what we say to a proxy on the way is not counted as sent', async (t) => {
  const port = await startHost(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.on('end', () => socket.end()).resume();
    });
  });
  const dial = createDial({ via: { scheme: 'http', host: '127.0.0.1', port, login: undefined } });
  const world = await startProxy(t, {}, { dial });
  const client = await tunnel(world);
  client.end();
  await readAll(client);
  assert.equal((await world.told('passed')).sent, hello.length);
});

test('a client that does not read holds its host back, and gets every byte as it was when it does', async (t) => {
  const all = randomBytes(7, 50_000_000);
  let sent = 0;
  const full = Promise.withResolvers<void>();
  const port = await startHost(t, (socket) => {
    const fill = (): void => {
      while (sent < all.length) {
        const chunk = all.subarray(sent, sent + 65_536);
        sent += chunk.length;
        if (!socket.write(chunk)) return;
      }
      socket.end();
    };
    socket.on('drain', fill).once('data', fill);
    // When the kernel takes no more, the last write stays where it is.
    socket.setTimeout(300, () => full.resolve());
  });
  const world = await startProxy(t, { [host]: port });
  const client = await tunnel(world);
  await full.promise;
  assert.ok(sent < all.length, 'the host was held back');
  assert.ok((await readAll(client)).equals(all));
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

test('a host that has said all may break off: the client is not told of it, who has all', async (t) => {
  const said = Buffer.from('all that there is');
  const port = await startHost(t, (socket) => {
    socket.once('data', () => {
      socket.once('data', () => socket.resetAndDestroy());
      socket.end(said);
    });
  });
  const world = await startProxy(t, { [host]: port });
  const client = await tunnel(world);
  assert.deepEqual(await readAll(client), said);
  client.write('one more thing');
  // It would have been reset by now.
  while (world.events.length === 0 && !client.destroyed) {
    client.end();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await world.told('passed')).ended, 'done');
});

for (const [limit, ms] of [
  ['idle', 60_000],
  ['longest', 3_600_000],
] as const) {
  test(`a tunnel is cut off when it is over its limit: ${limit}`, async (t) => {
    const port = await startHost(t, (socket) => void socket.pipe(socket));
    const world = await startProxy(t, { [host]: port });
    const client = await tunnel(world);
    const back = hello.length;
    await readSome(client, (text) => text.length === back);
    world.pass(0);
    for (let time = 0; time < ms; time += 30_000) {
      assert.equal(world.proxy.open(), 1);
      // Whoever is to be idle says nothing.
      if (limit === 'longest') {
        client.write('x');
        await readSome(client, (text) => text === 'x');
      }
      world.pass(30_000);
    }
    assert.equal((await world.told('passed')).ended, limit);
  });
}

test('a stop lets a tunnel finish within its time, and ends what is idle sooner', async (t) => {
  const port = await startHost(t, (socket) => void socket.pipe(socket));
  const world = await startProxy(t, { [host]: port });
  const [busy, idle] = [await tunnel(world), await tunnel(world)];
  for (const client of [busy, idle]) await readSome(client, (text) => text.length === hello.length);
  const closed = world.proxy.close(60_000);
  world.pass(0);
  busy.write('y');
  await readSome(busy, (text) => text === 'y');
  world.pass(3000);
  assert.equal((await world.told('passed')).ended, 'idle');
  assert.equal(world.proxy.open(), 1);
  busy.end();
  await closed;
  assert.deepEqual(
    world.events.map((event) => event.kind === 'passed' && event.ended),
    ['idle', 'done'],
  );
});

test('what is not over when the time of a stop is up is cut off', async (t) => {
  const port = await startHost(t, (socket) => void socket.pipe(socket));
  const world = await startProxy(t, { [host]: port });
  const client = await tunnel(world);
  await readSome(client, (text) => text.length === hello.length);
  await world.proxy.close(0);
  assert.equal((await world.told('passed')).ended, 'stopped');
});

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

test('where a client has a pace, each step to it waits for its turn, and the host for the client', async (t) => {
  const content = randomBytes(1, 3_000_000);
  const port = await startHost(t, (socket) => {
    socket.once('data', () => socket.end(content));
  });
  let [given, most] = [0, 0];
  const turns: (() => void)[] = [];
  const pace = {
    take(bytes: number) {
      most = Math.max(most, bytes);
      const count = Math.min(bytes, 20_000);
      return new Promise<number>((resolve) =>
        turns.push(() => {
          given += count;
          resolve(count);
        }),
      );
    },
    leave: () => {},
  };
  const world = await startProxy(t, { [host]: port }, { pace: () => pace });
  const client = await tunnel(world);
  client.end();
  const answer = readAll(client);
  for (; world.events.length === 0; await new Promise((resolve) => setImmediate(resolve))) {
    assert.ok(turns.length <= 1, 'one after the other');
    assert.ok(client.bytesRead - 200 <= given);
    for (const give of turns.splice(0)) give();
  }
  assert.ok(content.equals(await answer));
  assert.deepEqual([given, (await world.told('passed')).ended], [content.length, 'done']);
  assert.ok(most <= 65_536);
});

test('a tunnel that ends while it waits for its turn leaves the queue', async (t) => {
  const port = await startHost(t, (socket) => {
    socket.on('error', () => {}).once('data', () => socket.write('much'));
  });
  const waiting = Promise.withResolvers<void>();
  const turn = Promise.withResolvers<number>();
  const pace = {
    take() {
      waiting.resolve();
      return turn.promise;
    },
    leave: () => turn.resolve(0),
  };
  const world = await startProxy(t, { [host]: port }, { pace: () => pace });
  const client = await tunnel(world);
  await waiting.promise;
  client.resetAndDestroy();
  assert.equal(await turn.promise, 0);
  assert.equal((await world.told('passed')).received, 0);
});
