// `sampan account add`: a secret that the printed lines let in, and what it says without a key.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Accounts } from '../../../src/core/access/accounts.ts';
import { parseSecret } from '../../../src/core/access/secret.ts';
import { createMac } from '../../../src/node/mac.ts';
import { read } from '../config/reading.ts';

const main = fileURLToPath(new URL('../../../src/node/cli/main.ts', import.meta.url));
const key = 'the key of the tests, 32 characters long';

function add(name: string, env: Readonly<Record<string, string>>) {
  return spawnSync(process.execPath, [main, 'account', 'add', name], { cwd: '/', env, encoding: 'utf8' });
}

test('it prints a secret once, and lines that know it', async (t) => {
  const { status, stdout, stderr } = add('alice', { SAMPAN_KEY: key });
  assert.deepEqual([status, stderr], [0, '']);
  const [secret = ''] = /sampan-[0-9a-z]+/.exec(stdout) ?? [];
  const parsed = parseSecret(secret);
  assert.ok(parsed);
  const { accounts } = await read(t, `key: ${key}\n${stdout.slice(stdout.indexOf('accounts:'))}`);
  assert.equal((await new Accounts(accounts, createMac(key)).bySecret(parsed, '192.0.2.1'))?.name, 'alice');
  assert.notEqual(add('alice', { SAMPAN_KEY: key }).stdout, stdout);
});

test('without a key it makes one up, for the configuration', async (t) => {
  const { status, stdout, stderr } = add('alice', {});
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /accounts need a key/);
  assert.ok(((await read(t, stderr.slice(stderr.indexOf('key: ')))).key ?? '').length >= 32);
});

test('a name that is none is refused', () => {
  const { status, stderr } = add('Alice Smith', { SAMPAN_KEY: key });
  assert.equal(status, 2);
  assert.match(stderr, /^sampan: an account's name has up to 64/);
});
