// When the kernel is given a file for a connection, and when it must not be.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import type { Pace } from '../../../src/core/door/limit.ts';
import { Outlet } from '../../../src/node/http/outlet.ts';
import { openSendfile, type ReadCached, type Sendfile } from '../../../src/node/http/sendfile.ts';
import { hold, pattern } from './held-file.ts';
import { ask, blobPath, replyOf, serve } from './scripted-server.ts';

const size = 9_000_000;
const content = pattern(size);
const part = { offset: 0, length: 1000 };

class Sent implements Sendfile {
  readonly sockets: number[] = [];
  readonly isCached = () => true;

  send(socket: number): number {
    this.sockets.push(socket);
    return 1;
  }
}

/** A response whose head is out, on its server's side. */
async function respond(context: TestContext, pace?: Pace) {
  const server = http.createServer();
  context.after(() => server.close().closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  http
    .get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false })
    .on('response', (got) => got.on('error', () => {}).pause())
    .on('error', () => {});
  const [, response] = (await once(server, 'request')) as [http.IncomingMessage, http.ServerResponse];
  const outlet = new Outlet(response, size + 1, pace);
  response.writeHead(200, { 'content-length': size + 1 });
  assert.equal(await outlet.write(Buffer.alloc(1)), true);
  assert.ok(response.socket);
  return { response, outlet, socket: response.socket };
}

test('the kernel is given the descriptor that the connection has', async (context) => {
  const { outlet, socket } = await respond(context);
  const { file } = hold(context, content);
  const sent = new Sent();
  assert.equal(outlet.pour(sent, file, part), 1);
  assert.deepEqual(sent.sockets, [(socket as Socket & { _handle: { fd: number } })._handle.fd]);
  assert.deepEqual([outlet.bytes, outlet.poured], [2, 1]);
});

for (const [what, close] of [
  ['destroyed', (socket: Socket) => socket.destroy()],
  ['reset', (socket: Socket) => socket.resetAndDestroy()],
] as const) {
  test(`a connection that was ${what} is given nothing from that moment on: its number may be another's`, async (context) => {
    const { outlet, socket } = await respond(context);
    const { file } = hold(context, content);
    const sent = new Sent();
    assert.equal(outlet.pour(sent, file, part), 1);
    close(socket);
    assert.equal(outlet.pour(sent, file, part), 0);
    await once(socket, 'close');
    assert.equal(outlet.pour(sent, file, part), 0);
    assert.equal(sent.sockets.length, 1);
  });
}

test('of a connection in TLS the kernel knows only what it must not send as it lies there', async (context) => {
  const { response, outlet } = await respond(context);
  assert.equal(outlet.takesFiles, true);
  const socket = new TLSSocket(response.socket!, { isServer: true });
  context.after(() => socket.destroy());
  response.detachSocket(response.socket!);
  response.assignSocket(socket);
  assert.equal(outlet.takesFiles, false);
});

test('who is slowed down gets nothing past the count of it', async (context) => {
  const counted: number[] = [];
  const pace: Pace = {
    take(bytes) {
      counted.push(bytes);
      return bytes;
    },
    leave: () => {},
  };
  const { outlet, socket } = await respond(context, pace);
  assert.equal(outlet.takesFiles, false);
  const ended = outlet.end(Buffer.alloc(size));
  assert.deepEqual(counted, [1, size]);
  socket.destroy();
  await ended;
});

test('nothing overtakes what Node has still to write', async (context) => {
  const { response, outlet } = await respond(context);
  const { file } = hold(context, content);
  const sent = new Sent();
  response.write(Buffer.alloc(100));
  assert.equal(outlet.pour(sent, file, part), 0);
  assert.deepEqual(sent.sockets, []);
});

test('no more is poured than the head has promised', async (context) => {
  const { outlet } = await respond(context);
  const { file } = hold(context, content);
  const sent = new Sent();
  assert.throws(() => outlet.pour(sent, file, { offset: 0, length: size + 1 }), /longer than its head/);
  assert.deepEqual(sent.sockets, []);
});

const real = await openSendfile().catch(() => undefined);

/** What goes wrong, or is otherwise than one would think; and whether anything is poured then. */
const oddities: Readonly<Record<string, [odd: (real: Sendfile) => Sendfile, poured: boolean]>> = {
  'a socket that takes a little at a time': [
    ({ send, isCached }) => ({
      isCached,
      send: (to, from, offset, length) => send(to, from, offset, Math.min(length, 70_001)),
    }),
    true,
  ],
  'a socket that never takes any': [({ isCached }) => ({ isCached, send: () => -1 }), false],
  'a file that says that it ends': [({ isCached }) => ({ isCached, send: () => 0 }), false],
  'a disk that is always waited for': [({ send }) => ({ send, isCached: () => false }), true],
  'reads without a thread that bring little': [
    (sendfile) => ({
      ...sendfile,
      readCached: (from, into, offset, length) => sendfile.readCached!(from, into, offset, Math.min(length, 1001)),
    }),
    true,
  ],
  'reads without a thread that bring nothing': [(sendfile) => ({ ...sendfile, readCached: () => -1 }), true],
  'a disk of which only the beginning is at hand': [
    ({ send }) => ({ send, isCached: (_file, offset) => offset < 3_000_000 }),
    true,
  ],
};
for (const [what, [odd, poured]] of Object.entries(oddities)) {
  test(`all of a file arrives, with ${what}`, { skip: real === undefined }, async (context) => {
    const held = hold(context, content);
    const reply = replyOf({ kind: 'file', file: held.file, range: undefined });
    const { port, event } = await serve(context, async () => reply, { sendfile: odd(real!) });
    assert.ok((await ask(port, blobPath)).body.equals(content));
    const served = await event('served');
    assert.equal(served.bytes, size);
    assert.equal(served.poured > 0, poured);
    await held.closed;
  });
}

test('what is in memory is read without another thread', { skip: real === undefined }, async (context) => {
  const held = hold(context, content);
  const read: number[] = [];
  const readCached: ReadCached = (...wanted) => {
    const count = real!.readCached!(...wanted);
    read.push(count);
    return count;
  };
  const reply = replyOf({ kind: 'file', file: held.file, range: undefined });
  const { port, event } = await serve(context, async () => reply, { sendfile: { ...real!, readCached } });
  assert.ok((await ask(port, blobPath)).body.equals(content));
  const { bytes, poured } = await event('served');
  assert.ok(read.every((count) => count > 0));
  assert.equal(
    read.reduce((sum, count) => sum + count, 0),
    bytes - poured,
  );
});

test('of a file that was cold nothing is looked up any more', { skip: real === undefined }, async (context) => {
  const held = hold(context, content);
  let looks = 0;
  const sendfile: Sendfile = {
    // Little at a time, so that much goes by way of Node.
    send: (to, from, offset, length) => real!.send(to, from, offset, Math.min(length, 70_001)),
    isCached: () => false,
    readCached: (...wanted) => {
      looks += 1;
      return real!.readCached!(...wanted);
    },
  };
  const reply = replyOf({ kind: 'file', file: held.file, range: undefined });
  const { port } = await serve(context, async () => reply, { sendfile });
  assert.ok((await ask(port, blobPath)).body.equals(content));
  assert.equal(looks, 1);
});
