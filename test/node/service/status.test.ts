// How a running service is: told by the process, whatever stands in its configuration by now.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeAuthority } from '../../../src/node/proxy/certificates.ts';
import { servingName, usualPlaces } from '../../../src/node/service/facts.ts';
import { findAilment, findRunning, parseStart } from '../../../src/node/service/status.ts';

const skip = process.platform === 'linux' ? false : 'processes are told of elsewhere here';
const installed = { kind: 'init', path: '/nowhere', config: '/nowhere', data: '/nowhere', user: 'nobody' } as const;

/** A process that is called as sampan calls itself. */
async function running(t: TestContext, title: string) {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-status-'));
  const script = `process.title = process.argv[1]; console.log('so'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['-e', script, title], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    child.kill();
    await rm(directory, { recursive: true });
  });
  await once(child.stdout, 'data');
  const places = { ...usualPlaces, pidFile: join(directory, 'pid') };
  await writeFile(places.pidFile, `${child.pid}\n`);
  const found = await findRunning(installed, places);
  assert.ok(found);
  return found.pid;
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const answering =
  (code: number): RequestListener =>
  (_, response) =>
    void response.writeHead(code).end();

test('it is asked where it listens, by its own word', { skip }, async (t) => {
  const [well, ill] = [
    await listening(t, createServer(answering(200))),
    await listening(t, createServer(answering(503))),
  ];
  assert.equal(await findAilment(await running(t, `${servingName} http://127.0.0.1:${well}`)), undefined);
  assert.equal(await findAilment(await running(t, `${servingName} http://0.0.0.0:${well}`)), undefined);
  const answer = await findAilment(await running(t, `${servingName} http://127.0.0.1:${ill}`));
  assert.equal(answer, `http://127.0.0.1:${ill}/healthz answers 503`);
  assert.equal(await findAilment(await running(t, 'node')), 'it does not listen yet');
});

test('it is asked by https where it speaks that, for whatever name its certificate is', { skip }, async (t) => {
  const { key, certificate: cert } = makeAuthority(['lab.test'], Date.now());
  const port = await listening(t, https.createServer({ key, cert }, answering(200)));
  assert.equal(await findAilment(await running(t, `${servingName} https://127.0.0.1:${port}`)), undefined);
});

test('it runs since it was started, not since somebody first looked', () => {
  const zeros = (count: number) => Array.from({ length: count }, () => '0').join(' ');
  const line = `42 (a) S b)) S ${zeros(18)} 12345 ${zeros(30)}\n`;
  const system = 'cpu 1 2 3\nbtime 1700000000\nprocesses 4\n';
  assert.deepEqual(parseStart(line, system), new Date(1_700_000_123_000));
  assert.equal(parseStart('', system), undefined);
  assert.equal(parseStart(line, ''), undefined);
});
