// Limits for clients at the HTTP face: what a reply is allowed is taken before each step, and given back however it ends.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { test } from 'node:test';
import type { DoorParts } from '../../../src/core/door/door.ts';
import type { Asking, Limit, Pace } from '../../../src/core/door/limit.ts';
import { Limits } from '../../../src/core/door/limits.ts';
import type { Body, ByteStream } from '../../../src/core/mirror/reply.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { ask, blobPath, bytesReply, RawClient, replyOf, serve } from './scripted-server.ts';

const get = `GET ${blobPath} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Lets everybody through, and tells what was asked and when it was over. */
function watched(pace?: Pace) {
  const asked: Asking[] = [];
  let over = Promise.withResolvers<void>();
  const limit: Limit = async (_, asking) => {
    asked.push(asking);
    return { pace, over: () => over.resolve() };
  };
  const ended = async (): Promise<void> => {
    await over.promise;
    over = Promise.withResolvers();
  };
  return { limit, asked, ended };
}

async function* chunks(...texts: readonly string[]): ByteStream {
  for (const text of texts) yield Buffer.from(text);
}

async function* broken(): ByteStream {
  yield Buffer.from('a');
  throw new Error('broken');
}

test('only what asks for a blob’s bytes asks for a place among blobs', async (context) => {
  const { limit, asked, ended } = watched();
  const { port } = await serve(context, async () => bytesReply('ok'), { limit });
  for (const [method, path] of [
    ['GET', blobPath],
    ['HEAD', blobPath],
    ['GET', '/v2/library/alpine/manifests/1'],
    ['GET', '/v2/'],
  ] as const) {
    await ask(port, path, { method });
    await ended();
  }
  assert.deepEqual(
    asked.map(({ blob }) => blob),
    [true, false, false, false],
  );
});

test('a reply’s ration is over when it has ended, broken off, been refused, or lost its client', async (context) => {
  const { limit, ended } = watched();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  async function* held(): ByteStream {
    yield Buffer.from('begun');
    await gate.promise;
    yield Buffer.from('more');
  }
  const replies: DoorParts['pull'][] = [
    async () => bytesReply('ok'),
    async () => replyOf({ kind: 'stream', stream: broken() }),
    async () => {
      throw new RegistryError('BLOB_UNKNOWN', 'there is none');
    },
    async () => replyOf({ kind: 'stream', stream: held() }),
    (_pull, _caller, signal) => {
      begun.resolve();
      return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    },
  ];
  const { port } = await serve(context, (...asked) => replies.shift()!(...asked), { limit });
  for (let at = 0; at < 3; at += 1) {
    await ask(port, blobPath);
    await ended();
  }
  const leaving = await RawClient.open(context, port);
  leaving.send(get);
  await leaving.until('begun');
  leaving.socket.destroy();
  gate.resolve();
  await ended();
  const early = await RawClient.open(context, port);
  early.send(get);
  await begun.promise;
  early.socket.destroy();
  await ended();
});

test('each step of a body waits for its turn and is as large as that allows, however the body is kept', async (context) => {
  const steps: number[] = [];
  let turn = Promise.withResolvers<number>();
  let waiting = Promise.withResolvers<void>();
  const pace: Pace = {
    take(bytes) {
      steps.push(bytes);
      waiting.resolve();
      return turn.promise;
    },
    leave: () => {},
  };
  const descriptor = openSync(import.meta.filename, 'r');
  context.after(() => closeSync(descriptor));
  const file = { descriptor, size: 100_000, close: () => {} };
  const bodies: readonly (readonly [Body, readonly number[]])[] = [
    [{ kind: 'bytes', bytes: Buffer.from('four') }, [4, 1]],
    [{ kind: 'stream', stream: chunks('xyz', 'xyzzy') }, [3, 5, 2]],
    [{ kind: 'file', file, range: { offset: 0, length: 10 } }, [10, 7, 4, 1]],
  ];
  let body: Body = { kind: 'none' };
  const { port } = await serve(context, async () => replyOf(body), { limit: watched(pace).limit });
  for (const [next, expected] of bodies) {
    body = next;
    const client = await RawClient.open(context, port);
    client.send(get);
    for (const [index, size] of expected.entries()) {
      await waiting.promise;
      waiting = Promise.withResolvers();
      assert.equal(steps.pop(), size);
      // What had been sent would be here by the time that another answer is.
      await ask(port, '/healthz');
      const [, came = ''] = client.text.split('\r\n\r\n');
      assert.equal(came.replaceAll(/[0-9a-f]+\r\n|\r\n/g, '').length, 3 * index);
      const now = turn;
      turn = Promise.withResolvers();
      now.resolve(Math.min(size, 3));
    }
    await once(client.socket, 'data');
    client.socket.destroy();
  }
});

test('a client that leaves while it waits for its turn leaves the queue', async (context) => {
  const waiting = Promise.withResolvers<void>();
  const turn = Promise.withResolvers<number>();
  const pace: Pace = {
    take() {
      waiting.resolve();
      return turn.promise;
    },
    leave: () => turn.resolve(0),
  };
  const { limit, ended } = watched(pace);
  const { port } = await serve(context, async () => bytesReply('ok'), { limit });
  const client = await RawClient.open(context, port);
  client.send(get);
  await waiting.promise;
  client.socket.resetAndDestroy();
  await ended();
  assert.equal(await turn.promise, 0);
});

test('a second blob waits until the first is out, and the manifest between them does not', async (context) => {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  async function* held(): ByteStream {
    yield Buffer.from('first');
    await gate.promise;
    yield Buffer.from('end');
  }
  const limits = new Limits({ now: () => 0, every: () => () => {}, report: () => {} });
  const limit = limits.by({ requests: undefined, bytes: undefined, pulls: 1, loopback: true });
  const { port } = await serve(
    context,
    async (pull) => {
      begun.push(pull.kind);
      return begun.length === 1 ? replyOf({ kind: 'stream', stream: held() }) : bytesReply('other');
    },
    { limit },
  );
  const [first, second] = [await RawClient.open(context, port), await RawClient.open(context, port)];
  first.send(get);
  await first.until('first');
  second.send(get);
  assert.equal((await ask(port, '/v2/library/alpine/manifests/1')).status, 200);
  assert.deepEqual(begun, ['blob', 'manifest']);
  gate.resolve();
  await second.until('other');
  assert.deepEqual(begun, ['blob', 'manifest', 'blob']);
});
