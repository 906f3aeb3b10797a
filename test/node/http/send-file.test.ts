import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, truncateSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { HeldFile, Reply } from '../../../src/core/mirror/reply.ts';
import { BufferPool } from '../../../src/node/buffer-pool.ts';
import { Outlet } from '../../../src/node/http/outlet.ts';
import { sendFile } from '../../../src/node/http/send-file.ts';
import { type Held, hold, pattern } from './held-file.ts';
import { ask, blobPath, RawClient, replyOf, serve } from './scripted-server.ts';
import { ways } from './ways.ts';

const get = `GET ${blobPath} HTTP/1.1\r\nHost: a\r\n\r\n`;

function wholeOf({ file }: Held): Reply {
  return replyOf({ kind: 'file', file, range: undefined });
}

for (const { way, sendfile } of ways) {
  describe(way, () => {
    for (const length of [0, 1, 1000, 64 * 1024, 64 * 1024 + 1, 128 * 1024 + 1, 5_500_000]) {
      test(`a file of ${length} bytes arrives as it is, and is closed once`, async (context) => {
        const content = pattern(length);
        const held = hold(context, content);
        const { port } = await serve(context, async () => wholeOf(held), { sendfile });
        const answer = await ask(port, blobPath);
        assert.equal(answer.headers['content-length'], String(length));
        assert.ok(answer.body.equals(content));
        await held.closed;
        assert.equal(held.closings, 1);
      });
    }

    test('of a file with a range, just that part is sent', async (context) => {
      const content = pattern(900_000);
      for (const range of [
        { offset: 0, length: 1 },
        { offset: 899_999, length: 1 },
        { offset: 1234, length: 600_000 },
      ]) {
        const held = hold(context, content);
        const { port } = await serve(context, async () => replyOf({ kind: 'file', file: held.file, range }, {}, 206), {
          sendfile,
        });
        const answer = await ask(port, blobPath);
        assert.equal(answer.status, 206);
        assert.ok(answer.body.equals(content.subarray(range.offset, range.offset + range.length)));
        await held.closed;
      }
    });

    test('a file that is shorter than its head says does not end properly, and is closed', async (context) => {
      const held = hold(context, pattern(1_000_000));
      truncateSync(held.path, 700_000);
      const { port } = await serve(context, async () => wholeOf(held), { sendfile });
      const answer = await ask(port, blobPath);
      assert.equal(answer.headers['content-length'], '1000000');
      assert.equal(answer.complete, false);
      await held.closed;
      assert.equal(held.closings, 1);
    });

    test('the store is told of a file that ends too early, before it is closed', async (context) => {
      const held = hold(context, pattern(1_000_000));
      truncateSync(held.path, 700_000);
      const closings: number[] = [];
      const file: HeldFile = { ...held.file, suspect: () => closings.push(held.closings) };
      const { port } = await serve(context, async () => wholeOf({ ...held, file }), { sendfile });
      assert.equal((await ask(port, blobPath)).complete, false);
      await held.closed;
      assert.deepEqual(closings, [0]);
    });

    test('of a file that turns out to be bad while it is sent, the rest is kept back', async (context) => {
      const held = hold(context, pattern(1_000_000));
      let asked = 0;
      const file: HeldFile = {
        ...held.file,
        get bad() {
          asked += 1;
          return asked > 1;
        },
      };
      const { port } = await serve(context, async () => wholeOf({ ...held, file }), { sendfile });
      const answer = await ask(port, blobPath);
      assert.equal(answer.complete, false);
      assert.ok(answer.body.length < 1_000_000);
      await held.closed;
    });

    test('when the client leaves, the file is closed once', async (context) => {
      const held = hold(context, Buffer.alloc(30_000_000));
      const { port, event } = await serve(context, async () => wholeOf(held), { sendfile });
      const client = await RawClient.open(context, port);
      client.send(get);
      await once(client.socket, 'data');
      client.socket.destroy();
      await held.closed;
      assert.equal((await event('served')).whole, false);
      assert.equal(held.closings, 1);
    });

    test('a client that leaves before the reply is there costs the reply its body, not a file', async (context) => {
      const held = hold(context, pattern(100));
      const pulled = Promise.withResolvers<void>();
      const { port, event } = await serve(
        context,
        async (_pull, _caller, signal) => {
          pulled.resolve();
          await once(signal, 'abort');
          return wholeOf(held);
        },
        { sendfile },
      );
      const client = await RawClient.open(context, port);
      client.send(get);
      await pulled.promise;
      client.socket.destroy();
      await held.closed;
      const { status, bytes, whole } = await event('served');
      assert.deepEqual({ status, bytes, whole }, { status: 499, bytes: 0, whole: false });
    });

    test('a reply without a proper head becomes a 500, and its body is let go of', async (context) => {
      const held = hold(context, pattern(100));
      const { port, event } = await serve(
        context,
        async () => replyOf({ kind: 'file', file: held.file, range: undefined }, { 'content-type': 'a\r\nb: c' }),
        { sendfile },
      );
      const answer = await ask(port, blobPath);
      assert.equal(answer.status, 500);
      assert.equal(answer.headers['b'], undefined);
      assert.match(answer.body.toString(), /"UNKNOWN"/);
      assert.equal(held.closings, 1);
      await event('bug');
      assert.equal((await event('served')).status, 500);
    });

    test('two hundred replies leave no descriptor and no listener behind', async (context) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      context.after(() => agent.destroy());
      const { face, port } = await serve(
        context,
        async () => {
          const held = hold(context, pattern(2000));
          return wholeOf(held);
        },
        { sendfile },
      );
      let connection: Socket | undefined;
      face.server.on('connection', (socket) => {
        connection = socket;
      });
      const listeners = (): number =>
        connection!.eventNames().reduce((sum, name) => sum + connection!.listenerCount(name), 0);
      await ask(port, blobPath, { agent });
      const before = { descriptors: readdirSync('/proc/self/fd').length, listeners: listeners() };
      for (let index = 0; index < 200; index += 1) await ask(port, blobPath, { agent });
      assert.deepEqual({ descriptors: readdirSync('/proc/self/fd').length, listeners: listeners() }, before);
    });
  });
}

/** Tells how many buffers came back. */
class CountingPool extends BufferPool {
  returned = 0;

  override giveBack(buffer: Buffer): void {
    this.returned += 1;
    super.giveBack(buffer);
  }
}

for (const leaves of [false, true]) {
  test(`buffers are used again when ${leaves ? 'nobody can still be sending them: not of a client that leaves' : 'all is sent'}`, async (context) => {
    const pool = new CountingPool();
    const held = hold(context, Buffer.alloc(30_000_000));
    const sent = Promise.withResolvers<void>();
    const server = http.createServer((_request, response) => {
      const outlet = new Outlet(response, 30_000_000);
      sendFile(outlet, held.file, undefined, { buffers: pool }).then(() => sent.resolve(outlet.end()), sent.reject);
    });
    context.after(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const request = http.get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    if (leaves) response.destroy();
    else response.resume();
    await sent.promise;
    assert.equal(pool.returned, leaves ? 0 : 2);
  });
}
