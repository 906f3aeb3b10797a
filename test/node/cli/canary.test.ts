// Secrets of every kind are configured in a real process, and everything goes wrong: none of them is in anything that it says.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createSecret } from '../../../src/core/access/secret.ts';
import { image } from '../../fakes/registry/content.ts';
import { startRegistry } from '../../fakes/registry/registry.ts';
import { freePort } from '../../lab/process.ts';
import { startSampan } from '../../lab/sampan.ts';

const canary = (of: string) => `canary${of}${'0'.repeat(40)}`;
const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
const accountSecret = createSecret(new Uint8Array(16).fill(9));
const mac = 'ca'.repeat(32);

/** As it is, as it goes over the wire, and as URLs have it. */
const giveaways = [
  /canary/i,
  new RegExp(accountSecret.slice('sampan-'.length)),
  new RegExp(mac),
  ...['me', 'alice'].map((user) => new RegExp(Buffer.from(`${user}:canary`).toString('base64').slice(0, 10))),
];

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-secrets-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function assertHidden(said: string): void {
  const lines = said.split('\n').filter((line) => giveaways.some((giveaway) => giveaway.test(line)));
  assert.deepEqual(lines, []);
}

test('registries, token services and clients that fail', async (t) => {
  const directory = await temporaryDirectory(t);
  const [strict, redirecting, failing, broken] = await Promise.all([1, 2, 3, 4].map(() => startRegistry()));
  assert.ok(strict && redirecting && failing && broken);
  const fakes = [strict, redirecting, failing, broken];
  t.after(() => Promise.all(fakes.map((fake) => fake.down())));
  for (const fake of fakes) fake.hold('app', image(), 'latest');
  // Anybody may pull; our own login is wrong.
  strict.levers.token = { logins: {} };
  redirecting.levers.token = {};
  const location = `http://127.0.0.1:1/token?password=${canary('signed')}`;
  redirecting.levers.answers.push({ path: /^\/token/, status: 302, headers: { location } });
  failing.levers.answers.push({ path: /./, status: 500, body: canary('body') });
  await broken.down();

  await writeFile(join(directory, 'key'), canary('key'));
  await writeFile(join(directory, 'password'), canary('password'));
  const credentials = { username: 'me', password_file: join(directory, 'password') };
  const port = await freePort('127.0.0.1');
  const sampan = await startSampan(
    directory,
    {
      'strict.lan': { endpoints: [strict.url], credentials },
      'redirecting.lan': { endpoints: [redirecting.url], credentials, login: 'own' },
      'failing.lan': { endpoints: [`${failing.url}/${accountSecret}`], credentials },
      'broken.lan': { endpoints: [`${broken.url}/${accountSecret}`], credentials, login: 'account' },
      'closed.lan': { endpoints: [strict.url], login: 'account', credentials },
    },
    {
      key_file: join(directory, 'key'),
      accounts: { alice: { mac: `hmac-sha256:${mac}`, allow: ['closed.lan/**'] } },
      edge: { secret_env: 'EDGE' },
      sentry: { dsn_env: 'DSN' },
      proxy: { listen: `127.0.0.1:${port}` },
      log: { level: 'debug' },
    },
    { EDGE: canary('edge'), DSN: `http://${canary('dsn')}@127.0.0.1:1/1` },
  );
  t.after(() => sampan.stop());

  const said: string[] = [];
  const statuses: number[] = [];
  const ask = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`${sampan.url}${path}`, { headers });
    statuses.push(answer.status);
    said.push(JSON.stringify([...answer.headers]), await answer.text());
  };
  const logins: readonly Readonly<Record<string, string>>[] = [
    {},
    { authorization: basic(`alice:${canary('wrong')}`) },
    { authorization: basic(`alice:${accountSecret}`) },
    { authorization: `Bearer ${canary('bearer')}` },
    { 'x-edge-secret': canary('guess'), 'proxy-authorization': basic(`me:${canary('proxy')}`) },
  ];
  const paths = [
    ...['strict', 'redirecting', 'failing', 'broken', 'closed'].map(
      (name) => `/v2/app/manifests/latest?ns=${name}.lan`,
    ),
    `/token?service=redirecting.lan&scope=repository:app:pull&account=${canary('account')}`,
  ];
  await Promise.all(paths.flatMap((path) => logins.map((headers) => ask(path, headers))));
  await ask(`/v2/${accountSecret}/app/manifests/latest?ns=closed.lan&token=${canary('query')}`);
  assert.ok(
    [200, 401, 502, 503].every((status) => statuses.includes(status)),
    statuses.join(' '),
  );

  const socket = connect(port, '127.0.0.1');
  socket.write(`CONNECT broken.lan:443 HTTP/1.1\r\nHost: broken.lan:443\r\n`);
  socket.write(`Proxy-Authorization: ${basic(`me:${canary('connect')}`)}\r\n\r\n`);
  said.push(await text(socket));
  for (const page of ['/_sampan/status.json', '/metrics', '/']) await ask(page);
  await sampan.stop();
  assert.match(sampan.output, /"level":"debug"|"level":20/);
  // Each has said much, or nothing would be shown by this.
  assert.ok(said.every((each) => each !== '') && said.join('').length > 10_000);
  assertHidden(said.join('\n') + sampan.output);
});

test('an upstream proxy that refuses the login', async (t) => {
  const directory = await temporaryDirectory(t);
  let refused = 0;
  const proxy = createServer().on('connect', (request, socket) => {
    assert.equal(request.headers['proxy-authorization'], basic(`me:${canary('via')}`));
    refused += 1;
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  t.after(() => proxy.close());
  const { port } = proxy.address() as { port: number };
  const sampan = await startSampan(
    directory,
    { 'a.lan': { endpoints: ['http://a.lan'] } },
    { via_env: 'WAY', log: { level: 'debug' } },
    { WAY: `http://me:${canary('via')}@127.0.0.1:${port}` },
  );
  t.after(() => sampan.stop());
  const answer = await fetch(`${sampan.url}/v2/app/manifests/latest?ns=a.lan`);
  const said = await answer.text();
  assert.equal(answer.status, 503);
  assert.ok(refused > 0);
  await sampan.stop();
  assert.match(sampan.output, /refuses the login/);
  assertHidden(said + sampan.output);
});
