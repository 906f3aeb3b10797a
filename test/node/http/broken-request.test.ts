// Requests that turn out to be none in their middle: whoever waits for the rest of one is not left waiting.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createListener, type Turns } from '../../../src/node/http/listener.ts';
import { malformed, refuse } from '../../../src/node/http/refuse.ts';
import { RawClient, StoppedClock } from './scripted-server.ts';

interface Listening {
  readonly port: number;
  readonly server: http.Server;
  readonly closed: Promise<void>;
}

/** `answer`: what is done with each request. `closed`: the server's side of the first connection. */
async function listen(context: TestContext, answer: Turns['answer']): Promise<Listening> {
  const turns: Turns = { answer, connect: () => {}, malformed: (socket, code) => refuse(socket, malformed(code)) };
  const { server, close } = createListener(turns, new StoppedClock(), {
    own: { requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 10 },
  });
  const closed = Promise.withResolvers<void>();
  server.once('connection', (socket: Socket) => socket.once('close', () => closed.resolve()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    return close(0);
  });
  return { port: (server.address() as AddressInfo).port, server, closed: closed.promise };
}

/** A turn that waits for all of the body. */
const echo: Turns['answer'] = async (request, response) => {
  try {
    response.end(Buffer.concat((await request.toArray()) as Buffer[]));
  } catch {
    response.end('broken');
  }
};

const post = (framing: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;
const chunked = post('Transfer-Encoding: chunked');

test('a body that does not come in time is refused, though its request is being answered', async (context) => {
  const { port, closed } = await listen(context, echo);
  const client = await RawClient.open(context, port);
  client.send(`${post('Content-Length: 30')}x`);
  await client.closed();
  await closed;
  assert.match(client.text, /^HTTP\/1\.1 408 [^]*the request took too long to arrive/);
});

test('chunks that turn into nonsense are refused, though their request is being answered', async (context) => {
  const begun = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const { port, closed } = await listen(context, async (request, response) => {
    begun.resolve();
    await echo(request, response, () => false);
    over.resolve();
  });
  const client = await RawClient.open(context, port);
  client.send(`${chunked}1\r\nx\r\n`);
  await begun.promise;
  client.send('nonsense');
  await client.closed();
  await closed;
  await over.promise;
  assert.match(client.text, /^HTTP\/1\.1 400 [^]*this is not an HTTP request/);
  assert.equal(client.text.split('HTTP/1.1 ').length, 2);
});

test('one whose turn has not come is refused in its turn, and never begun', async (context) => {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const { port, server } = await listen(context, async (request, response) => {
    begun.push(request.method ?? '');
    await gate.promise;
    response.end('first');
    await once(response, 'close');
  });
  const client = await RawClient.open(context, port);
  const refused = once(server, 'clientError');
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${chunked}nonsense`);
  await refused;
  gate.resolve();
  await client.closed();
  assert.match(client.text, /^HTTP\/1\.1 200 [^]*firstHTTP\/1\.1 400 /);
  assert.deepEqual(begun, ['GET']);
});

test('when the head of an answer is out, the connection is cut off', async (context) => {
  const { port, closed } = await listen(context, async (_, response) => {
    response.writeHead(200, { 'content-length': 5 }).write('ab');
    await once(response, 'close');
  });
  const client = await RawClient.open(context, port);
  client.send(chunked);
  await client.until('ab');
  client.send('nonsense');
  await client.closed();
  await closed;
  assert.ok(client.text.endsWith('\r\n\r\nab'));
});

test('an answer that waits for no more of the body still arrives whole', async (context) => {
  const answered = Promise.withResolvers<void>();
  const { port } = await listen(context, async (_, response) => {
    response.shouldKeepAlive = false;
    response.end('enough');
    await once(response, 'close');
    answered.resolve();
  });
  const client = await RawClient.open(context, port);
  client.send(chunked);
  await client.until('enough');
  client.send('nonsense');
  await answered.promise;
  while (!client.socket.closed) await setImmediate();
  assert.equal(client.text.split('HTTP/1.1 ').length, 2);
});
