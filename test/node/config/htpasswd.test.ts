// Names and passwords of a file, read with the configuration that names it.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../../src/node/config/config.ts';
import { complaintsOf, temporaryDirectory } from './reading.ts';

const tail = 'N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const hash = `$2y$10$${tail}`;
const mac = `hmac-sha256:${'0f'.repeat(32)}`;

async function readWith(t: TestContext, htpasswd: string | Buffer | undefined, more = '') {
  const directory = await temporaryDirectory(t);
  if (htpasswd !== undefined) await writeFile(join(directory, 'users'), htpasswd);
  await writeFile(join(directory, 'sampan.yaml'), `key: ${'k'.repeat(32)}\nhtpasswd: users\n${more}`);
  return readConfig({ environment: {}, directory, flags: { config: 'sampan.yaml' } });
}

test('who has a password has an account, and who has neither password nor secret has none', async (t) => {
  const more = `accounts: { alice: { allow: [docker.io/acme/*] }, gone: { allow: [docker.io/**] }, robot: { mac: "${mac}" } }`;
  const text = `# people\n\nalice:${hash}\r\nbob:$2b$04$${tail}  \ncarol:$2a$14$${tail}`;
  const { accounts, passwords } = await readWith(t, text, more);
  assert.deepEqual(
    accounts.map(({ name, allow }) => [name, allow.length]),
    [
      ['alice', 1],
      ['robot', 0],
      ['bob', 0],
      ['carol', 0],
    ],
  );
  assert.deepEqual(
    passwords?.map(({ name }) => name),
    ['alice', 'bob', 'carol'],
  );
  assert.equal(passwords?.[0]?.hash, hash);
});

test('an empty file gives nobody a password', async (t) => {
  assert.deepEqual((await readWith(t, '')).passwords, []);
});

test('each line that is wrong is told by its number, and no hash with it', async (t) => {
  const lines = [
    `alice:${hash}`,
    'bob:$apr1$salt$abcdefghijklmnopqrstu.',
    'carol:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
    'dave:plain',
    `alice:${hash}`,
    `Eve@home:${hash}`,
    'nobody',
    `frank:$2y$17$${tail}`,
    `grace:$2x$10$${tail}`,
  ];
  const told = await complaintsOf(readWith(t, lines.join('\n')));
  const numbers = told.map((line) => /^users:(\d+): /.exec(line)?.[1]);
  assert.deepEqual(numbers, ['2', '3', '4', '5', '6', '7', '8', '9']);
  assert.match(told[0] ?? '', /bob: found a hash of another kind, expected bcrypt, as `htpasswd -B` makes it/);
  assert.match(told[3] ?? '', /alice: found twice/);
  assert.match(told[6] ?? '', /frank: found the cost 17/);
  assert.doesNotMatch(told.join(), /apr1|SHA|plain|\$2/);
});

test('a file that cannot be read is told by its path', async (t) => {
  assert.match(String(await complaintsOf(readWith(t, undefined))), /users: cannot be read \(ENOENT\)/);
});
