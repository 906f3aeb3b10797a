// Secrets from files and variables: they count as if they stood in the configuration, and are checked alike.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { complaintsOf, temporaryDirectory } from './reading.ts';
import { readConfig } from '../../../src/node/config/config.ts';

const secret = 'a-secret-of-more-than-32-characters';

/** `secret.txt` lies beside the file. */
async function reading(t: TestContext, yaml: string, environment: Readonly<Record<string, string>> = {}) {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'sampan.yaml'), yaml);
  await writeFile(join(directory, 'secret.txt'), `${secret}\n`);
  await writeFile(join(directory, 'short.txt'), 'short-secret');
  return readConfig({ flags: { config: join(directory, 'sampan.yaml') }, environment, directory: '/' });
}

test('a key stands in a file or a variable, which variables of their own may name', async (t) => {
  assert.equal((await reading(t, 'key_file: secret.txt')).key, secret);
  assert.equal((await reading(t, 'key_env: OURS', { OURS: secret })).key, secret);
  assert.equal((await reading(t, '', { SAMPAN_KEY_ENV: 'OURS', OURS: secret })).key, secret);
  assert.equal((await reading(t, 'registries: { docker.io: { login: own } }\nkey_file: secret.txt')).key, secret);
});

test('so do a proxy with its login, and a DSN', async (t) => {
  const environment = { WAY: 'socks5://u:p%40ss@proxy.lan:1080', DSN: 'https://0a1b@sentry.example/7' };
  const config = await reading(t, 'via_env: WAY\nsentry: { dsn_env: DSN }', environment);
  assert.deepEqual(config.via?.login, { user: 'u', password: 'p@ss' });
  assert.equal(config.sentry?.dsn.key, '0a1b');
});

test('what is wrong with one is told where its place was named, without it', async (t) => {
  for (const [yaml, says] of [
    ['key_file: none.txt', 'sampan.yaml:1: key_file: none.txt cannot be read (ENOENT)'],
    ['key_env: NONE', 'sampan.yaml:1: key_env: found the variable NONE without a value, expected a key in it'],
    ['key_env: NONE\nkey_file: a', 'sampan.yaml:2: key_file: expected one of key, key_file and key_env'],
    [`via: x\nvia_file: a`, 'sampan.yaml:2: via_file: expected one of via, via_file and via_env'],
    [
      'key_file: short.txt',
      'sampan.yaml:1: key: found something else, expected at least 32 characters that nobody can guess',
    ],
    ['key_file: [a]', 'sampan.yaml:1: key_file: found a list, expected the path of a file'],
  ] as const) {
    const told = await complaintsOf(reading(t, yaml));
    assert.ok(told.includes(says), told.join('\n'));
    assert.doesNotMatch(told.join(), /-secret/);
  }
});
