// `sampan account`: secrets that the written lines let in, what of the file stays, and what nobody is shown.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Accounts } from '../../../src/core/access/accounts.ts';
import { parseSecret } from '../../../src/core/access/secret.ts';
import { readConfig } from '../../../src/node/config/config.ts';
import { createMac } from '../../../src/node/mac.ts';
import { read } from '../config/reading.ts';

const main = fileURLToPath(new URL('../../../src/node/cli/main.ts', import.meta.url));
const key = 'the key of the tests, 32 characters long';

function account(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [main, 'account', ...args], { cwd: '/', env, encoding: 'utf8' });
}

function fileWith(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-account-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'sampan.yaml');
  writeFileSync(path, text);
  return path;
}

function secretIn(stdout: string) {
  const secret = parseSecret(/sampan-[0-9a-z]+/.exec(stdout)?.[0] ?? '');
  assert.ok(secret);
  return secret;
}

async function ownerIn(path: string, stdout: string): Promise<string | undefined> {
  const config = await readConfig({ flags: { config: path }, environment: {}, directory: '/' });
  const accounts = new Accounts(config.accounts, createMac(config.key ?? ''));
  return (await accounts.bySecret(secretIn(stdout), '192.0.2.1'))?.name;
}

test('without a file it prints a secret once, and lines that know it', async (t) => {
  const { status, stdout, stderr } = account(['add', 'alice'], { SAMPAN_KEY: key });
  assert.deepEqual([status, stderr], [0, '']);
  const lines = /^accounts:\n(?: .*\n)+/m.exec(stdout)?.[0] ?? '';
  const { accounts } = await read(t, `key: ${key}\n${lines}`);
  assert.equal((await new Accounts(accounts, createMac(key)).bySecret(secretIn(stdout), '192.0.2.1'))?.name, 'alice');
  assert.notEqual(account(['add', 'alice'], { SAMPAN_KEY: key }).stdout, stdout);
  assert.match(account(['add', 'alice']).stdout, /^key: .{43}=\naccounts:\n {2}alice:\n/m);
});

test('it writes the account into the file, which stays whose and as it was', async (t) => {
  const before = `# mine\nkey: ${key}   # keep\naccess: login\n`;
  const path = fileWith(t, before);
  chmodSync(path, 0o640);
  const { status, stdout, stderr } = account(['add', 'alice', '--config', path]);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /systemctl reload sampan, or SIGHUP/);
  assert.ok(readFileSync(path, 'utf8').startsWith(before));
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.equal(await ownerIn(path, stdout), 'alice');
  assert.deepEqual(readdirSync(join(path, '..')), ['sampan.yaml']);

  const again = account(['add', 'alice', '-c', path]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /there is an account alice already/);
  assert.equal(account(['add', 'bob'], { SAMPAN_CONFIG: path }).status, 0);
  const listed = account(['list', '-c', path]);
  assert.deepEqual([listed.status, listed.stdout], [0, 'alice  secret\nbob  secret\n']);
  assert.equal(account(['remove', 'alice', '-c', path]).status, 0);
  assert.equal(account(['remove', 'bob', '-c', path]).status, 0);
  assert.equal(readFileSync(path, 'utf8'), before);
});

test('where there is no key one is made and written, and it is said what that is worth', async (t) => {
  const path = fileWith(t, 'access: login\n');
  chmodSync(path, 0o644);
  const { status, stdout } = account(['add', 'alice', '-c', path]);
  assert.equal(status, 0);
  assert.match(stdout, /There was no key: one was made/);
  assert.match(stdout, /chmod o-r/);
  assert.equal(await ownerIn(path, stdout), 'alice');
});

test('--print changes nothing', (t) => {
  const path = fileWith(t, `key: ${key}\naccounts: { alice: { mac: "hmac-sha256:${'0'.repeat(64)}" } }\n`);
  const before = readFileSync(path, 'utf8');
  assert.match(account(['add', 'bob', '--print', '-c', path]).stdout, /^ {2}bob:\n {4}mac: hmac-sha256:/m);
  assert.match(account(['remove', 'alice', '--print', '-c', path]).stdout, /would go: accounts\.alice/);
  assert.equal(readFileSync(path, 'utf8'), before);
});

test('a link to the file stays one', (t) => {
  const path = fileWith(t, `key: ${key}\n`);
  const link = `${path}.link`;
  symlinkSync(path, link);
  assert.equal(account(['add', 'alice', '-c', link]).status, 0);
  assert.ok(readFileSync(path, 'utf8').includes('alice'));
});

test('who is not there cannot be removed; who is, is told', (t) => {
  const path = fileWith(t, `key: ${key}\naccounts: { alice: { mac: "hmac-sha256:${'0'.repeat(64)}" } }\n`);
  const { status, stderr } = account(['remove', 'bob', '-c', path]);
  assert.deepEqual([status, stderr], [1, `sampan: ${path} has no account bob; there are alice\n`]);
  assert.equal(account(['remove', 'bob']).status, 1);
});

test('the list has names, ways to log in and rights, and no secrets', (t) => {
  const hash = '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
  const path = fileWith(
    t,
    `key: ${key}
htpasswd: users
accounts:
  alice: { mac: "hmac-sha256:${'0'.repeat(64)}", allow: [docker.io/acme/*, ghcr.io/a/**], networks: [10.0.0.0/8] }
  carol: { admin: true }
  gone: { allow: [docker.io/**] }
`,
  );
  writeFileSync(join(path, '..', 'users'), `carol:${hash}\nalice:${hash}\ndave:${hash}\n`);
  const { stdout } = account(['list', '-c', path]);
  assert.deepEqual(stdout.split('\n'), [
    'alice  secret+password  allow: docker.io/acme/* ghcr.io/a/**  networks: 10.0.0.0/8',
    'carol  password  admin',
    'dave  password',
    '',
  ]);
});

test('of several at once none is lost: who finds another at work is told, and writes nothing', async (t) => {
  const path = fileWith(t, 'access: login\n');
  const names = ['alice', 'bob', 'carol', 'dave'];
  const ended = await Promise.all(
    names.map(async (name) => {
      const child = spawn(process.execPath, [main, 'account', 'add', name, '-c', path], { cwd: '/', env: {} });
      const [stdout, stderr, [status]] = await Promise.all([
        textOf(child.stdout),
        textOf(child.stderr),
        once(child, 'exit'),
      ]);
      if (status !== 0) assert.match(stderr, /another sampan account is changing/);
      return status === 0 ? { name, stdout } : undefined;
    }),
  );
  const done = ended.filter((each) => each !== undefined);
  assert.ok(done.length > 0);
  for (const { name, stdout } of done) assert.equal(await ownerIn(path, stdout), name);

  const lock = join(path, '..', '.sampan.yaml.lock');
  writeFileSync(lock, '');
  const before = readFileSync(path, 'utf8');
  const { status, stderr } = account(['add', 'eve', '-c', path]);
  assert.deepEqual([status, readFileSync(path, 'utf8')], [1, before]);
  assert.ok(stderr.includes(`if none is, remove ${lock}`));
});

test('where everything waits for a key, one is made', async (t) => {
  const path = fileWith(t, 'access: login\nregistries: { docker.io: { login: account } }\n');
  const { status, stdout, stderr } = account(['add', 'alice', '-c', path]);
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(await ownerIn(path, stdout), 'alice');
});

test('what else refers to is not taken away', (t) => {
  const mac = `mac: "hmac-sha256:${'0'.repeat(64)}"`;
  const path = fileWith(t, `key: ${key}\naccounts:\n  alice: &a\n    ${mac}\n  bob: *a\n`);
  const before = readFileSync(path, 'utf8');
  const { status, stderr } = account(['remove', 'alice', '-c', path]);
  assert.deepEqual([status, readFileSync(path, 'utf8')], [1, before]);
  assert.match(stderr, /^sampan: [^\n]*alias[^\n]*\n$/);
});

test('it is said where the file is written anew', (t) => {
  const path = fileWith(t, `key: ${key}\naccounts: { alice: { mac: "hmac-sha256:${'0'.repeat(64)}" } }\n`);
  assert.match(account(['add', 'bob', '-c', path]).stdout, /had to be written anew/);
  assert.match(account(['remove', 'alice', '-c', path]).stdout, /had to be written anew/);
  assert.doesNotMatch(account(['add', 'carol', '-c', fileWith(t, `key: ${key}\n`)]).stdout, /anew: look/);
});

test('it is said where that does not count', (t) => {
  const path = fileWith(t, `key: ${key}\n`);
  const other = { SAMPAN_ACCOUNTS: `{ bob: { mac: "hmac-sha256:${'0'.repeat(64)}" } }` };
  const added = account(['add', 'alice', '-c', path], other);
  assert.equal(added.status, 1);
  assert.match(added.stderr, /SAMPAN_ACCOUNTS/);
  assert.equal(account(['add', 'bob', '-c', path]).status, 0);
  const removed = account(['remove', 'bob', '-c', path], other);
  assert.equal(removed.status, 1);
  assert.match(removed.stderr, /SAMPAN_ACCOUNTS/);
  writeFileSync(path, `${readFileSync(path, 'utf8')}keyy: x\n`);
  const wrong = account(['remove', 'alice', '-c', path]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stdout, /taken from/);
  assert.match(wrong.stderr, /keyy/);
});

test('a name that is none, and a configuration that is wrong, are refused', (t) => {
  const { status, stderr } = account(['add', 'Alice Smith'], { SAMPAN_KEY: key });
  assert.equal(status, 2);
  assert.match(stderr, /^sampan: an account's name has up to 64/);
  const path = fileWith(t, 'keyy: x\n');
  assert.equal(account(['add', 'alice', '-c', path]).status, 2);
  assert.equal(readFileSync(path, 'utf8'), 'keyy: x\n');
});

test('its help has examples', () => {
  assert.match(account(['--help']).stdout, /sampan account remove alice --config/);
});
