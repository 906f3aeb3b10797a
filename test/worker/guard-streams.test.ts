// What streams through the guard: bodies of a gigabyte both ways at once, a WebSocket, and pulls from a mirror on Node.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { Agent, buildConnector, WebSocket } from 'undici';
import { startApp } from '../../src/node/app.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { talk } from '../fakes/talker.ts';
import { peakMemory } from '../lab/process.ts';
import { guarded } from './guarded.ts';

/** Where the guard fails, open. */
const drill = '/v2/library/drill/manifests/latest';
const w = guarded({ config: { drill } });
const noProc = process.platform !== 'linux' && 'there is no /proc';
const gigabyte = 1 << 30;
const chunk = Buffer.alloc(1 << 20, 'x');

test('a gigabyte streams both ways at once, with flat memory', { skip: noProc }, async (t) => {
  await w.send({ method: 'POST', body: 'to begin with' });
  const mirrored = createServer((asked, answer) => void asked.pipe(answer)).listen(0, '127.0.0.1');
  await once(mirrored, 'listening');
  t.after(() => mirrored.close());
  const host = `127.0.0.1:${(mirrored.address() as AddressInfo).port}`;
  const before = await peakMemory(w.guard.pid);
  const headers = { host, 'content-length': gigabyte };
  const sent = request({ host: '127.0.0.1', port: w.guard.port, method: 'POST', headers, agent: false });
  Readable.from(Array.from({ length: gigabyte / chunk.length }, () => chunk)).pipe(sent);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let came = 0;
  for await (const piece of answer) came += (piece as Buffer).length;
  assert.equal(came, gigabyte);
  const grown = (await peakMemory(w.guard.pid)) - before;
  t.diagnostic(`workerd grew by ${(grown / 1e6).toFixed(1)} MB, from ${(before / 1e6).toFixed(1)} MB`);
  assert.ok(grown < 32e6, `${grown} bytes`);
});

for (const path of ['/talk', drill]) {
  test(`a WebSocket talks at ${path}, in text and in bytes, and hangs up`, async (t) => {
    w.origin.server.once('upgrade', talk);
    const connect = buildConnector({});
    const throughGuard = new Agent({ connect: (to, done) => connect({ ...to, port: String(w.guard.port) }, done) });
    t.after(() => throughGuard.close());
    const socket = new WebSocket(`ws://${w.origin.host}${path}`, { dispatcher: throughGuard });
    socket.binaryType = 'arraybuffer';
    await once(socket, 'open');
    const heard = async (said: string | Uint8Array) => {
      const message = once(socket, 'message') as Promise<[{ readonly data: string | ArrayBuffer }]>;
      socket.send(said);
      return (await message)[0].data;
    };
    assert.equal(await heard('hello'), 'hello');
    assert.deepEqual(Buffer.from((await heard(Buffer.of(0, 255))) as ArrayBuffer), Buffer.of(0, 255));
    const closed = once(socket, 'close') as Promise<[CloseEvent]>;
    socket.close(4321, 'enough');
    const [{ code, reason }] = await closed;
    assert.deepEqual([code, reason], [4321, 'enough']);
  });
}

/** `host:port` */
async function startMirror(t: TestContext, endpoint: string): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'sampan-behind-guard-'));
  const environment = {
    SAMPAN_LISTEN: '127.0.0.1:0',
    SAMPAN_DATA: data,
    SAMPAN_STOP_WITHIN: '0s',
    SAMPAN_REGISTRIES: JSON.stringify({ 'docker.io': { endpoints: [endpoint] } }),
  };
  const config = await readConfig({ flags: {}, environment, directory: data });
  const app = await startApp(config, createLog('error', { write: () => {} }));
  t.after(async () => {
    await app.close();
    await rm(data, { recursive: true, force: true });
  });
  return app.address;
}

test('an image is pulled from a mirror on Node, also while the guard fails', async (t) => {
  const registry = await startRegistry();
  t.after(() => registry.down());
  const bytes = Buffer.alloc(3_000_000, 'layer');
  const layer = layerOf(bytes);
  const held = image({ layers: [layer] });
  for (const name of ['library/alpine', 'library/drill']) registry.hold(name, held, 'latest');
  const host = await startMirror(t, registry.url);
  const blob = `/v2/library/alpine/blobs/${layer.digest}`;

  assert.equal((await w.send({ host, target: '/v2/' })).status, 200);
  const manifest = await w.send({ host, target: '/v2/library/alpine/manifests/latest' });
  assert.deepEqual([manifest.body, manifest.headers['docker-content-digest']], [held.body, held.digest]);
  assert.deepEqual((await w.send({ host, target: blob })).body, bytes);
  const part = await w.send({ host, target: blob, headers: { range: 'bytes=2999990-' } });
  assert.deepEqual([part.status, part.body, part.complete], [206, bytes.subarray(-10), true]);
  const head = await w.send({ host, method: 'HEAD', target: blob });
  assert.equal(head.headers['content-length'], String(bytes.length));
  assert.equal((await w.send({ host, method: 'DELETE', target: blob })).status, 405);

  const before = w.sentry.events.length;
  for (const method of ['GET', 'HEAD']) {
    const { status, headers } = await w.send({ host, method, target: drill });
    assert.deepEqual([status, headers['docker-content-digest']], [200, held.digest]);
  }
  await w.sentry.until(before + 2);
  const methods = w.sentry.events.slice(before).map(({ request: told }) => told?.method);
  assert.deepEqual(new Set(methods), new Set(['GET', 'HEAD']));
});
