// Clients that leave while their host is being reached, hosts that never are, and a stop in the meantime: nobody is waited for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createDial } from '../../../src/node/dial/dial.ts';
import { readAll, startHost, startProxy } from './world.ts';
import { helloFor } from '../../fakes/client-hello.ts';

/** A tunnel that is asked for by way of somebody who takes connections and says nothing. */
async function waiting(t: TestContext, behind: Uint8Array = Buffer.alloc(0)) {
  const asked = Promise.withResolvers<Socket>();
  const port = await startHost(t, (socket) => socket.once('data', () => asked.resolve(socket)));
  const dial = createDial({ via: { scheme: 'http', host: '127.0.0.1', port, login: undefined } });
  const world = await startProxy(t, {}, { dial });
  const client = await world.connect();
  client.write(Buffer.concat([Buffer.from('CONNECT ghcr.io:443 HTTP/1.1\r\nHost: x\r\n\r\n'), behind]));
  const host = await asked.promise;
  assert.equal(world.proxy.open(), 1);
  return { world, client, host, closed: readAll(host) };
}

for (const [how, leave] of [
  ['resets', (client: Socket) => client.resetAndDestroy()],
  ['ends', (client: Socket) => client.end()],
] as const) {
  test(`a client that ${how} its connection keeps neither its place nor the one to the host`, async (t) => {
    const { world, client, closed } = await waiting(t);
    leave(client);
    await closed;
    const { ended, sent, received } = await world.told('passed');
    assert.deepEqual([ended, sent, received, world.proxy.open()], ['client', 0, 0, 0]);
  });
}

test('what the client says too early is still there when its host is reached', async (t) => {
  const hello = helloFor('ghcr.io');
  const { client, host } = await waiting(t, hello.subarray(0, 30));
  client.write(hello.subarray(30));
  client.resume();
  host.removeAllListeners('data').write('HTTP/1.1 200 OK\r\n\r\n');
  let came = Buffer.alloc(0);
  while (came.length < hello.length) came = Buffer.concat([came, ...((await once(host, 'data')) as Buffer[])]);
  assert.deepEqual(came, hello);
});

test('a client that left at the moment when its host was reached is not waited for', async (t) => {
  const port = await startHost(t, () => {});
  const dial = createDial({ resolve: { 'ghcr.io': { host: '127.0.0.1', port } } });
  const asked = Promise.withResolvers<Socket>();
  const late: typeof dial = async (to) => {
    const socket = await asked.promise;
    await once(socket.destroy(), 'close');
    return dial(to, { signal: t.signal });
  };
  const world = await startProxy(t, {}, { dial: late });
  world.proxy.server.on('connect', ({ socket }) => asked.resolve(socket));
  const client = await world.connect();
  client.write('CONNECT ghcr.io:443 HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await world.told('passed')).ended, 'client');
});

test('a host that does not answer in fifteen seconds is told of', async (t) => {
  const { world, client, closed } = await waiting(t);
  world.pass(14_999);
  assert.equal(world.proxy.open(), 1);
  world.pass(1);
  assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 504 ghcr\.io did not answer in time\r\n/);
  await closed;
});

test('a stop whose time is up waits for no host', async (t) => {
  const { world, closed } = await waiting(t);
  await world.proxy.close(0);
  assert.equal((await world.told('passed')).ended, 'stopped');
  await closed;
});
