// Accounts and rules of the real app: passwords of a file, and what a new configuration does to whoever is logged in.
import assert from 'node:assert/strict';
import { hashSync } from 'bcryptjs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { createSecret } from '../../src/core/access/secret.ts';
import { basic, describeDoor, kept, key, type OpenFace, secrets } from '../conformance/door.ts';
import { rowsOfPasswords, rowsOfPasswordsBesideOwn } from '../conformance/door-passwords.ts';
import { rowsOfRules, rules } from '../conformance/door-rules.ts';
import { item } from '../conformance/door.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { openApp } from './real-app.ts';
import { start } from './reloading.ts';

const directory = mkdtempSync(join(tmpdir(), 'sampan-accounts-'));
after(() => rmSync(directory, { recursive: true }));
const lines: string[] = [];
const open: OpenFace = (settings) => openApp(settings, lines);

function fileOf(name: string, users: Readonly<Record<string, string>>): string {
  const path = join(directory, name);
  const texts = Object.entries(users).map(([user, password]) => `${user}:${hashSync(password, 4)}\n`);
  writeFileSync(path, texts.join(''));
  return path;
}

const htpasswd = fileOf('users', { carol: 'pass word ü', dave: 'dave-word' });
const accounts = { carol: { allow: ['docker.io/acme/*'] } };
const login = { access: 'login', htpasswd, accounts };

describeDoor('the Node server, with passwords of a file', open, undefined, login, rowsOfPasswords);
describeDoor(
  'the Node server, with passwords beside the registries’ logins',
  open,
  'own',
  login,
  rowsOfPasswordsBesideOwn,
);
describeDoor('the Node server, with rules', open, undefined, { access: 'open', rules }, rowsOfRules);
describeDoor('the Node server, with rules and accounts', open, 'account', { access: 'open', rules }, rowsOfRules);

it('none of it left a password in the log', () => {
  const log = lines.join('');
  assert.ok(lines.length > 50);
  for (const hidden of [
    'pass word',
    'dave-word',
    'wrong-word',
    'hub-word',
    '$2b$',
    basic('dave', 'dave-word').slice(6),
  ]) {
    assert.ok(!log.includes(hidden), hidden);
  }
});

describe('what is read anew', async () => {
  const registry = await startRegistry();
  registry.hold('public/app', item, '1');
  after(() => registry.down());
  const manifest = '/v2/public/app/manifests/1';
  const usual = {
    access: 'login',
    key,
    catalogue: false,
    registries: { 'docker.io': { endpoints: [registry.url], login: 'own' } },
  };

  it('ends an account and its tokens at once, whether its secret or its line is gone', async (t) => {
    const mac = await kept(secrets.alice);
    const file = fileOf('reloaded', { carol: 'first', eve: 'eve-word' });
    const settings = { ...usual, htpasswd: file, accounts: { alice: { mac }, carol: { allow: ['docker.io/acme/*'] } } };
    const running = await start(t, settings);
    const tokenFor = async (authorization: string) => {
      const got = await running.get('/token?service=docker.io&scope=repository:public/app:pull', { authorization });
      assert.equal(got.statusCode, 200);
      return { authorization: `Bearer ${(JSON.parse(await text(got)) as { token: string }).token}` };
    };
    const tokens = [await tokenFor(basic('alice', secrets.alice)), await tokenFor(basic('carol', 'first'))];
    const status = (shown: Readonly<Record<string, string>>) => running.status(manifest, shown);
    for (const token of tokens) assert.equal(await status(token), 200);

    fileOf('reloaded', { eve: 'eve-word' });
    await running.reload({ ...settings, accounts: { carol: { allow: ['docker.io/acme/*'] } } });
    for (const token of tokens) assert.equal(await status(token), 401);
    for (const gone of [basic('alice', secrets.alice), basic('carol', 'first')]) {
      assert.equal(await status({ authorization: gone }), 401);
    }
    assert.equal(await status({ authorization: basic('eve', 'eve-word') }), 200);

    fileOf('reloaded', { eve: 'another' });
    await running.reload(settings);
    assert.equal(await status({ authorization: basic('eve', 'eve-word') }), 401, 'it was right a moment ago');
    assert.equal(await status({ authorization: basic('eve', 'another') }), 200);
  });

  it('ends the tokens of whoever has another secret or password now, and nobody else’s', async (t) => {
    const eve = { mac: await kept(secrets.bob) };
    const file = fileOf('rotated', { carol: 'first' });
    const settings = { ...usual, htpasswd: file, accounts: { alice: { mac: await kept(secrets.alice) }, eve } };
    const running = await start(t, settings);
    const status = (token: string) => running.status(manifest, { authorization: token });
    const tokens: string[] = [];
    for (const shown of [basic('alice', secrets.alice), basic('carol', 'first'), basic('eve', secrets.bob)]) {
      const got = await running.get('/token?service=docker.io', { authorization: shown });
      tokens.push(`Bearer ${(JSON.parse(await text(got)) as { token: string }).token}`);
    }
    fileOf('rotated', { carol: 'second' });
    const another = createSecret(new Uint8Array(16).fill(9));
    await running.reload({ ...settings, accounts: { alice: { mac: await kept(another) }, eve } });
    assert.deepEqual(await Promise.all(tokens.map(status)), [401, 401, 200]);
  });

  it('stays as it was if a line of the file is wrong', async (t) => {
    const file = fileOf('broken', { carol: 'first' });
    const running = await start(t, { ...usual, htpasswd: file });
    writeFileSync(file, 'carol:$apr1$x$y\n');
    await running.reload({ ...usual, htpasswd: file });
    assert.match(
      running.lines.at(-1) ?? '',
      /everything stays as it was: .*broken:1: carol: found a hash of another kind/,
    );
    assert.equal(await running.status(manifest, { authorization: basic('carol', 'first') }), 200);
  });

  it('an account counts from its networks alone, and so do its tokens', async (t) => {
    const mac = await kept(secrets.alice);
    const alice = { mac, networks: ['192.0.2.0/24'] };
    const settings = { ...usual, accounts: { alice }, trusted_proxies: ['127.0.0.1'] };
    const running = await start(t, settings);
    const authorization = basic('alice', secrets.alice);
    const from = (address: string, shown = authorization) => ({ authorization: shown, 'x-forwarded-for': address });
    assert.equal(await running.status(manifest, from('192.0.2.9')), 200);
    assert.equal(await running.status(manifest, from('198.51.100.9')), 401);
    const got = await running.get('/token?service=docker.io', from('192.0.2.9'));
    const token = `Bearer ${(JSON.parse(await text(got)) as { token: string }).token}`;
    assert.equal(await running.status(manifest, from('192.0.2.9', token)), 200);
    assert.equal(await running.status(manifest, from('198.51.100.9', token)), 401);
  });

  it('who guesses at passwords is not listened to for a while, nor is the thread asked for him', async (t) => {
    const running = await start(t, { ...usual, htpasswd: fileOf('guessed', { carol: 'first' }) });
    const status = (password: string) => running.status('/v2/', { authorization: basic('carol', password) });
    const statuses = [];
    for (let guess = 0; guess < 11; guess += 1) statuses.push(await status(`guess ${guess}`));
    assert.deepEqual([statuses[0], statuses[9], statuses[10]], [401, 401, 429]);
    assert.equal(await status('first'), 429);
  });
});
