// The door of the real app, configured from a file; and that no secret is in its log.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { startApp } from '../../src/node/app.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';
import { describeDoor, key, type OpenFace, rowsWithoutLogin, secrets } from '../conformance/door.ts';
import { rowsOfAccounts } from '../conformance/door-account.ts';
import { rowsOfOwnLogin, rowsOfOwnLoginForAnybody } from '../conformance/door-own.ts';

const lines: string[] = [];

const open: OpenFace = async (settings) => {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-door-'));
  after(() => rm(directory, { recursive: true, force: true }));
  await writeFile(
    join(directory, 'sampan.yaml'),
    JSON.stringify({ listen: '127.0.0.1:0', stop_within: '0s', ...settings }),
  );
  const config = await readConfig({ flags: { config: 'sampan.yaml' }, environment: {}, directory });
  const app = await startApp(config, createLog('debug', { write: (line) => lines.push(line) }));
  const port = Number(app.address.split(':').at(-1));
  return {
    async request({ method = 'GET', target, headers = {}, body }) {
      const request = http.request({ host: '127.0.0.1', port, path: target, method, headers, agent: false }).end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
    },
    close: () => app.close(),
  };
};

describeDoor('the Node server that asks nobody for a login', open, undefined, { access: 'open' }, rowsWithoutLogin);
describeDoor('the Node server, with the registries’ own logins', open, 'own', { access: 'login' }, rowsOfOwnLogin);
describeDoor('the Node server, with logins for who has one', open, 'own', { access: 'open' }, rowsOfOwnLoginForAnybody);
describeDoor('the Node server, with accounts of its own', open, 'account', { access: 'login' }, rowsOfAccounts);

test('none of it left a secret, a password or a token in the log', () => {
  const log = lines.join('');
  assert.ok(lines.length > 100);
  const hidden = [
    key,
    ...Object.values(secrets).map((secret) => secret.slice(7, 20)),
    'hubtoken',
    'ghcrtoken',
    'refresh ',
  ];
  for (const text of [
    ...hidden,
    'swordfish',
    'hunter2',
    'of-the-client',
    Buffer.from('hub-user:').toString('base64').slice(0, 10),
  ]) {
    assert.ok(!log.includes(text), text);
  }
  assert.match(log, /"what":"token"/);
});
