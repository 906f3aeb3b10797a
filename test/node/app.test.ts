// The real app, put together and taken apart: what listens, who may see what, and what a stop or a failed start leaves.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type App, startApp } from '../../src/node/app.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';
import { Database } from '../../src/node/store/sqlite.ts';
import { freePort, knock } from '../lab/process.ts';

interface Started {
  readonly data: string;
  readonly lines: readonly string[];
  /** What whoever else listens has heard. */
  readonly heard: readonly string[];
  /** Fails if the app cannot start. */
  start(environment?: Readonly<Record<string, string>>): Promise<App>;
}

async function prepare(t: TestContext): Promise<Started> {
  const data = await mkdtemp(join(tmpdir(), 'sampan-app-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const lines: string[] = [];
  const heard: string[] = [];
  const log = createLog('debug', { write: (line) => lines.push(line) });
  async function start(environment: Readonly<Record<string, string>> = {}): Promise<App> {
    const usual = { SAMPAN_LISTEN: '127.0.0.1:0', SAMPAN_DATA: data, SAMPAN_STOP_WITHIN: '0s' };
    const config = await readConfig({ flags: {}, environment: { ...usual, ...environment }, directory: data });
    const app = await startApp(config, log, { heardBy: ({ kind }) => heard.push(kind) });
    let closed: Promise<void> | undefined;
    const close = () => (closed ??= app.close());
    t.after(close);
    return { ...app, close };
  }
  return { data, lines, heard, start };
}

function portOf(address: string | undefined): number {
  return Number(/\d+$/.exec(address ?? '')?.[0]);
}

async function status(address: string | undefined, path: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${portOf(address)}${path}`);
  await answer.bytes();
  return answer.status;
}

/** Whether the book was closed as it should be. */
function isClean(data: string): boolean {
  const book = new Database(join(data, 'book.sqlite'));
  const row = book.prepare('SELECT clean FROM stop').get();
  book.close();
  return row?.['clean'] === 1;
}

test('whoever else listens hears what the log hears', async (t) => {
  const { heard, start } = await prepare(t);
  const { address } = await start();
  assert.equal(await status(address, '/v2/'), 200);
  assert.ok(heard.includes('served'));
});

test('it is ready at once, and after a stop nothing listens and the store is closed', async (t) => {
  const { data, start } = await prepare(t);
  const app = await start({ SAMPAN_ADMIN_LISTEN: '127.0.0.1:0' });
  assert.equal(await status(app.address, '/readyz'), 200);
  assert.equal(await status(app.address, '/v2/'), 200);
  const told = await fetch(`http://${app.adminAddress}/_sampan/status.json`);
  const { listen } = (await told.json()) as { listen: string };
  assert.equal(listen, app.address, 'where it really listens');
  await app.close();
  for (const address of [app.address, app.adminAddress]) {
    await assert.rejects(knock('127.0.0.1', portOf(address)), { code: 'ECONNREFUSED' });
  }
  assert.equal(isClean(data), true);
  await (await start()).close();
});

test('the pages of the administrator are where only this machine can see them', async (t) => {
  const pages = ['/', '/metrics', '/_sampan/status.json'];
  const { start } = await prepare(t);
  const loopback = await start();
  for (const path of pages) assert.equal(await status(loopback.address, path), 200);
  await loopback.close();
  const app = await start({
    SAMPAN_LISTEN: '0.0.0.0:0',
    SAMPAN_ACCESS: 'open',
    SAMPAN_ADMIN_LISTEN: '127.0.0.1:0',
  });
  for (const path of pages) {
    assert.equal(await status(app.address, path), 403);
    assert.equal(await status(app.adminAddress, path), 200);
  }
});

test('a start that fails leaves nothing open', async (t) => {
  const { data, start } = await prepare(t);
  const taken = http.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const admin = await freePort('127.0.0.1');
  const environment = {
    SAMPAN_LISTEN: `127.0.0.1:${(taken.address() as AddressInfo).port}`,
    SAMPAN_ADMIN_LISTEN: `127.0.0.1:${admin}`,
  };
  await assert.rejects(start(environment), { code: 'EADDRINUSE' });
  await assert.rejects(knock('127.0.0.1', admin), { code: 'ECONNREFUSED' });
  assert.equal(isClean(data), true);
  await start();
});

test('a second one with the same data does not start, and the first goes on', async (t) => {
  const { start } = await prepare(t);
  const first = await start();
  await assert.rejects(start(), /in use by another sampan process/);
  assert.equal(await status(first.address, '/v2/'), 200);
});

test('a stop while a pull waits for its upstream is nobody’s bug', async (t) => {
  const asked = Promise.withResolvers<void>();
  const upstream = http.createServer((request, response) => {
    if (request.url === '/v2/') response.end();
    else asked.resolve();
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    upstream.close();
    upstream.closeAllConnections();
  });
  const { start, lines } = await prepare(t);
  const endpoint = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const app = await start({ SAMPAN_REGISTRIES: JSON.stringify({ 'lab.example': { endpoints: [endpoint] } }) });
  const pull = fetch(`http://${app.address}/v2/lab.example/image/manifests/latest`);
  await Promise.all([assert.rejects(pull), asked.promise.then(() => app.close())]);
  assert.deepEqual(
    lines.filter((line) => line.includes('"bug"')),
    [],
  );
});
