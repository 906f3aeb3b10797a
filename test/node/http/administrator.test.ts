// The pages that tell names and habits, for who logs in to see them.
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { createSecret } from '../../../src/core/access/secret.ts';
import { basic, kept, key, secrets } from '../../conformance/door.ts';
import { start } from '../reloading.ts';

const pages = ['/', '/metrics', '/_sampan/status.json', '/_sampan/nothing'];
const admin = basic('alice', secrets.alice);

/** As if it came through somebody before us, from a machine elsewhere. */
async function away(t: TestContext, accounts?: Readonly<Record<string, unknown>>, more = {}) {
  const alice = { mac: await kept(secrets.alice), admin: true };
  const bob = { mac: await kept(secrets.bob) };
  const running = await start(t, {
    key,
    trusted_proxies: ['127.0.0.1'],
    accounts: accounts ?? { alice, bob },
    ...more,
  });
  const ask = async (path: string, authorization?: string, headers: Readonly<Record<string, string>> = {}) => {
    const all = { host: 'mirror.example', 'x-forwarded-for': '192.0.2.9', 'x-forwarded-proto': 'https', ...headers };
    const got = await running.get(path, { ...all, ...(authorization && { authorization }) });
    return { status: got.statusCode, headers: got.headers, body: await text(got) };
  };
  return { ...running, ask };
}

test('an administrator sees them from anywhere, under any name; nobody else does', async (t) => {
  const { ask } = await away(t);
  for (const path of pages) {
    const stranger = await ask(path);
    assert.deepEqual([stranger.status, stranger.headers['www-authenticate']], [401, 'Basic realm="sampan"'], path);
    assert.equal((await ask(path, admin)).status, path.endsWith('nothing') ? 404 : 200, path);
    const member = await ask(path, basic('bob', secrets.bob));
    assert.deepEqual([member.status, member.headers['www-authenticate']], [403, undefined], path);
    const wrong = await ask(path, basic('alice', createSecret(new Uint8Array(16).fill(9))));
    assert.deepEqual([wrong.status, wrong.headers['www-authenticate']], [401, 'Basic realm="sampan"'], path);
    for (const other of [basic('alice', 'x'), 'Bearer x']) assert.equal((await ask(path, other)).status, 401, path);
  }
  for (const path of ['/healthz', '/readyz']) assert.equal((await ask(path)).status, 200);
});

test('who asks in plain HTTP from elsewhere is not asked for a login, and one that he shows is not looked at', async (t) => {
  const { ask } = await away(t);
  for (const shown of [undefined, admin]) {
    const got = await ask('/metrics', shown, { 'x-forwarded-proto': 'http' });
    assert.deepEqual([got.status, got.headers['www-authenticate']], [403, undefined]);
    assert.match(got.body, /by https/);
  }
  const here = { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' };
  assert.equal((await ask('/metrics', admin, here)).status, 200);
  assert.equal((await ask('/metrics', undefined, here)).status, 401, 'but the name leads to another machine');
  assert.equal((await ask('/metrics', undefined, { ...here, host: 'localhost' })).status, 200, 'as ever');
});

test('who is passed on to us by somebody on this machine is not on this machine, whatever name he asks for', async (t) => {
  const from = { 'x-forwarded-for': '192.0.2.9' };
  for (const trusted of [['127.0.0.1'], ['192.0.2.200']]) {
    const { ask } = await away(t, {}, { trusted_proxies: trusted });
    for (const host of ['localhost', '127.0.0.1:5050']) {
      for (const path of pages) assert.equal((await ask(path, undefined, { ...from, host })).status, 403, path);
    }
  }
  const { get } = await away(t, {}, { trusted_proxies: ['192.0.2.200'] });
  for (const mark of ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']) {
    assert.equal((await text(await get('/metrics', { [mark]: '127.0.0.1' }))).includes('sampan_'), false, mark);
  }
  assert.equal((await text(await get('/metrics'))).includes('sampan_'), true);
});

test('where no account is an administrator’s, nobody is asked for a login', async (t) => {
  const { ask } = await away(t, { alice: { mac: await kept(secrets.alice) } });
  for (const path of pages) {
    for (const shown of [undefined, admin]) {
      const got = await ask(path, shown);
      assert.deepEqual([got.status, got.headers['www-authenticate']], [403, undefined], path);
    }
  }
});

test('an administrator counts from his networks alone, and not any more when his account is gone', async (t) => {
  const alice = { mac: await kept(secrets.alice), admin: true, networks: ['192.0.2.0/24'] };
  const { ask, reload } = await away(t, { alice });
  assert.equal((await ask('/metrics', admin)).status, 200);
  assert.equal((await ask('/metrics', admin, { 'x-forwarded-for': '198.51.100.1' })).status, 401);
  await reload({ key, trusted_proxies: ['127.0.0.1'] });
  assert.equal((await ask('/metrics', admin)).status, 403);
});

test('who guesses hears 429', async (t) => {
  const { ask } = await away(t);
  const wrong = basic('alice', createSecret(new Uint8Array(16).fill(9)));
  const statuses = [];
  for (let guess = 0; guess < 11; guess += 1) statuses.push((await ask('/metrics', wrong)).status);
  assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429]);
  assert.equal((await ask('/metrics', admin)).status, 200, 'a made secret is always listened to');
});

test('a browser that remembers the login gives no other site anything to read, and nothing is done there', async (t) => {
  const { ask } = await away(t);
  for (const path of pages) {
    const { headers } = await ask(path, admin, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' });
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');
    const names = Object.keys(headers).filter((name) => name.startsWith('access-control-'));
    assert.deepEqual(names, []);
  }
});
