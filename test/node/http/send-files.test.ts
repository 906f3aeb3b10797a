// Many files to many clients: whoever comes, goes or dawdles, each gets his own bytes and nobody else's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import http from 'node:http';
import type { Socket } from 'node:net';
import { before, describe, test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Sendfile } from '../../../src/node/http/sendfile.ts';
import { hold, holdAt, pattern, put } from './held-file.ts';
import { ask, RawClient, replyOf, serve, type Scripted } from './scripted-server.ts';
import { ways } from './ways.ts';

const count = 50;
const size = 3_000_000;
const contents = Array.from({ length: count }, (_, index) => pattern(size, index));
let paths: readonly string[];

before((context) => {
  paths = contents.map((content) => put(context as TestContext, content));
});

/** The blob whose content has that index. */
function pathOf(index: number): string {
  return `/v2/library/alpine/blobs/sha256:${String(index).padStart(64, '0')}`;
}

function serveFiles(context: TestContext, sendfile: Sendfile | undefined): Promise<Scripted> {
  return serve(
    context,
    async (pull) => {
      assert.ok(pull.kind === 'blob');
      const { file } = holdAt(paths[Number(pull.digest.slice(-4))]!, size);
      if (pull.range?.kind !== 'from') return replyOf({ kind: 'file', file, range: undefined });
      const { offset } = pull.range;
      return replyOf({ kind: 'file', file, range: { offset, length: size - offset } }, {}, 206);
    },
    { sendfile },
  );
}

function check(body: Buffer, index: number, from = 0): void {
  assert.ok(body.equals(contents[index]!.subarray(from)), `other bytes than those of ${index}`);
}

/** A response whose body nobody reads yet. */
async function begin(port: number, index: number): Promise<http.IncomingMessage> {
  const request = http.get({ host: '127.0.0.1', port, path: pathOf(index), agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response;
}

async function bodyOf(response: http.IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await response.toArray()) as Buffer[]);
}

/** Reads so many bytes, which must be the right ones, and breaks off. */
async function leaveAfter(port: number, index: number, most: number): Promise<void> {
  const response = await begin(port, index);
  let read = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    assert.ok(chunk.equals(contents[index]!.subarray(read, read + chunk.length)));
    read += chunk.length;
    if (read >= most) break;
  }
  response.destroy();
}

for (const { way, sendfile } of ways) {
  describe(way, () => {
    test('one connection carries whole files, parts of files and heads of files, one after the other', async (context) => {
      const { port } = await serveFiles(context, sendfile);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      context.after(() => agent.destroy());
      const ports = new Set<number | undefined>();
      for (let index = 0; index < 12; index += 1) {
        check((await ask(port, pathOf(index), { agent })).body, index);
        const from = index * 200_003;
        const part = await ask(port, pathOf(index), { agent, headers: { range: `bytes=${from}-` } });
        check(part.body, index, from);
        const head = await ask(port, pathOf(index), { agent, method: 'HEAD' });
        assert.deepEqual([head.headers['content-length'], head.body.length], [String(size), 0]);
        ports.add(Object.values(agent.freeSockets).flat()[0]?.localPort);
      }
      assert.equal(ports.size, 1);
    });

    test('requests that come together are answered one after the other', async (context) => {
      const { port } = await serveFiles(context, sendfile);
      const client = await RawClient.open(context, port);
      const asked = [3, 1, 4, 1, 5];
      const last = 'GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
      client.send(asked.map((index) => `GET ${pathOf(index)} HTTP/1.1\r\nHost: a\r\n\r\n`).join('') + last);
      await client.closed();
      let rest = client.bytes;
      for (const index of asked) {
        const body = rest.indexOf('\r\n\r\n') + 4;
        check(rest.subarray(body, body + size), index);
        rest = rest.subarray(body + size);
      }
      assert.match(rest.toString(), /^HTTP\/1\.1 500 /);
    });

    test('fifty clients at once get fifty files', async (context) => {
      const { port } = await serveFiles(context, sendfile);
      await Promise.all(contents.map(async (_, index) => check((await ask(port, pathOf(index))).body, index)));
    });

    test('clients that leave anywhere take nothing of what those get who come in their place', async (context) => {
      const { port, events } = await serveFiles(context, sendfile);
      const stays = async (index: number): Promise<void> => {
        for (let round = 0; round < 4; round += 1) check((await ask(port, pathOf(index))).body, index);
      };
      const leaves = async (index: number): Promise<void> => {
        for (let round = 0; round < 20; round += 1) await leaveAfter(port, index, ((round * 7 + index) % 16) * 200_000);
      };
      await Promise.all([0, 1, 2, 3, 4, 5].flatMap((index) => [stays(index), leaves(index + 10), leaves(index + 20)]));
      assert.deepEqual(
        events.filter(({ kind }) => kind === 'bug'),
        [],
      );
    });

    test('a file that is evicted while it is sent arrives as it was', async (context) => {
      const held = hold(context, contents[7]!);
      const { port } = await serve(context, async () => replyOf({ kind: 'file', file: held.file, range: undefined }), {
        sendfile,
      });
      const response = await begin(port, 7);
      rmSync(held.path);
      check(await bodyOf(response), 7);
    });

    test('who reads slowly gets all of it, and keeps nobody waiting', async (context) => {
      const { port } = await serveFiles(context, sendfile);
      const slow = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => begin(port, index)));
      check((await ask(port, pathOf(30))).body, 30);
      await Promise.all(slow.map(async (response, index) => check(await bodyOf(response), index)));
    });

    test('who takes nothing for too long is let go of, and the file with him', async (context) => {
      const content = Buffer.alloc(64_000_000);
      const held = holdAt(put(context, content), content.length);
      const { face, port, event } = await serve(
        context,
        async () => replyOf({ kind: 'file', file: held.file, range: undefined }),
        { sendfile },
      );
      const connected = once(face.server, 'connection') as Promise<[Socket]>;
      const client = await RawClient.open(context, port);
      client.socket.pause();
      client.send(`GET ${pathOf(0)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const [socket] = await connected;
      while (socket.writableLength === 0) await setImmediate();
      socket.emit('timeout');
      await held.closed;
      assert.equal((await event('served')).whole, false);
    });
  });
}
