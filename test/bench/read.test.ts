// The reader counts what came, of every client, and takes nothing else for a body.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { read } from '../../bench/rest/read.ts';

async function serve(t: TestContext, status: number, size: number): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(status, { 'content-length': size }).end(Buffer.alloc(size)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/blob`;
}

test('each client reads all of it as often as it was told to', async (t) => {
  const taken = await read({ url: await serve(t, 200, 1e6), clients: 3, times: 2 });
  assert.equal(taken.bytes, 6e6);
  assert.equal(taken.each.length, 3);
});

test('an empty body is one, too', async (t) => {
  assert.equal((await read({ url: await serve(t, 200, 0), clients: 1, times: 2 })).bytes, 0);
});

test('an error page counts as a failure, not as bytes', async (t) => {
  await assert.rejects(read({ url: await serve(t, 404, 100), clients: 1, times: 1 }), /the reader failed/);
});

test('a head that comes in pieces is one', async (t) => {
  const server = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-');
      setImmediate(() => socket.end('Length: 5\r\n\r\nhello'));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  assert.equal((await read({ url, clients: 1, times: 1 })).bytes, 5);
});
