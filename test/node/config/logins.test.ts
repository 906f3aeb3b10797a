// What is said about logins: who needs one, what accounts there are, and where the passwords of registries are.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { complaints, complaintsOf, read, temporaryDirectory } from './reading.ts';

const key = 'k'.repeat(32);
const mac = `hmac-sha256:${'0f'.repeat(32)}`;

test('access: login lets in nobody who has none, and may be said beside networks', async (t) => {
  assert.deepEqual((await read(t, 'access: login')).access, { kind: 'networks', networks: [], login: true });
  const { access } = await read(t, 'access: { networks: [10.0.0.0/8], login: true }');
  assert.ok(access.kind === 'networks' && access.networks.length === 1 && access.login);
});

test('accounts have what is kept of their secret, and the repositories that their rules name', async (t) => {
  const config = await read(
    t,
    `key: ${key}\naccounts: { alice: { mac: "${mac}", allow: [docker.io/acme/*] }, bob: { mac: "${mac}" } }`,
  );
  const [alice, bob] = config.accounts;
  assert.deepEqual([alice?.name, alice?.mac?.length, alice?.mac?.[0], alice?.allow.length], ['alice', 32, 0x0f, 1]);
  assert.deepEqual([bob?.name, bob?.allow], ['bob', []]);
});

test('each registry says how clients log in; nobody does unless it is said', async (t) => {
  const config = await read(
    t,
    `key: ${key}\nregistries: { docker.io: { login: own }, ghcr.io: { login: account }, quay.io: { login: none } }`,
  );
  const modes = ['docker.io', 'ghcr.io', 'quay.io', 'gcr.io'].map(
    (name) => config.registries.find((each) => each.name === name)?.login,
  );
  assert.deepEqual(modes, ['own', 'account', undefined, undefined]);
});

test('a password stands in the file, in another file, or in a variable', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'secret'), 'from a file\n');
  const yaml = (where: string) => `registries: { docker.io: { credentials: { username: u, ${where} } } }`;
  const found = async (where: string) => {
    const config = await read(t, yaml(where), { environment: { HUB: 'from a variable' } });
    return config.registries.find(({ name }) => name === 'docker.io')?.credentials;
  };
  assert.deepEqual(await found('password: plain'), [{ username: 'u', password: 'plain' }]);
  assert.deepEqual(await found('password_env: HUB'), [{ username: 'u', password: 'from a variable' }]);
  assert.deepEqual(await found(`password_file: ${join(directory, 'secret')}`), [
    { username: 'u', password: 'from a file' },
  ]);
});

test('a registry may have several accounts, each with a password from where it is, in their order', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'secret'), 'from a file');
  const yaml = (list: string) => `registries: { docker.io: { credentials: [${list}] } }`;
  const three = `{ username: a, password: plain }, { username: b, password_file: ${directory}/secret }, { username: c, password_env: HUB }`;
  const config = await read(t, yaml(three), { environment: { HUB: 'from a variable' } });
  assert.deepEqual(config.registries.find(({ name }) => name === 'docker.io')?.credentials, [
    { username: 'a', password: 'plain' },
    { username: 'b', password: 'from a file' },
    { username: 'c', password: 'from a variable' },
  ]);

  const place = 'sampan.yaml:1: registries.docker.io.credentials';
  const one = '{ username: a, password: hunter2 }';
  assert.deepEqual(await complaints(t, yaml(`${one}, ${one}`)), [`${place}[1]: found the user name "a" twice`]);
  assert.deepEqual(await complaints(t, yaml(`${one}, { username: b }`)), [
    `${place}[1]: expected one of password, password_file and password_env`,
  ]);
  assert.deepEqual(await complaints(t, yaml(`${one}, { username: b, pasword: hunter2 }`)), [
    `${place}[1].pasword: found an unknown key; did you mean password?`,
  ]);
  assert.deepEqual(await complaints(t, yaml('{ username: [a], password: 1234 }')), [
    `${place}[0].username: found a list, expected a user name`,
    `${place}[0].password: found something else, expected a password`,
  ]);
  const expected = {
    '[]': 'found an empty list, expected at least one account',
    hunter2: 'found something else, expected an account, with username and password, or a list of accounts',
  };
  for (const [wrong, says] of Object.entries(expected)) {
    const found = await complaints(t, `registries: { docker.io: { credentials: ${wrong} } }`);
    assert.deepEqual(found, [`${place}: ${says}`]);
  }
});

test('a password that is not there, or is there twice, is told without it', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'empty'), '');
  await writeFile(join(directory, 'sampan.yaml'), '');
  const at = (where: string) => complaints(t, `registries: { docker.io: { credentials: { username: u${where} } } }`);
  const one = 'expected one of password, password_file and password_env';
  const place = 'sampan.yaml:1: registries.docker.io.credentials:';
  assert.deepEqual(await at(''), [`${place} ${one}`]);
  assert.deepEqual(await at(', password: hunter2, password_env: X'), [`${place} ${one}`]);
  assert.deepEqual(await at(', password_env: NOTHING'), [
    `${place} found the variable NOTHING without a value, expected a password in it`,
  ]);
  assert.deepEqual(await at(`, password_file: ${directory}/empty`), [
    `${place} found nothing in ${directory}/empty, expected a secret`,
  ]);
  assert.deepEqual(await at(`, password_file: ${directory}/none`), [
    `${place} ${directory}/none cannot be read (ENOENT)`,
  ]);
});

test('who wants logins without a key is told how to make one', async (t) => {
  for (const yaml of ['registries: { docker.io: { login: own } }', `accounts: { alice: { mac: "${mac}" } }`]) {
    const [complaint, ...others] = await complaints(t, yaml);
    assert.match(complaint ?? '', /needs a key: .*openssl rand/);
    assert.deepEqual(others, []);
  }
  const environment = { SAMPAN_KEY: key };
  assert.deepEqual(await complaintsOf(read(t, 'registries: { docker.io: { login: own } }', { environment })), []);
});

test('what is wrong with a secret is told without it', async (t) => {
  const wrong = [
    'key: too-short-secret',
    `key: ${key}\naccounts: { alice: { mac: hunter2-secret } }`,
    'registries: { docker.io: { credentials: { username: u, password: [hunter2-secret] } } }',
    'registries: { docker.io: { credentials: u:hunter2-secret } }',
    `key: ${key}\naccounts: { alice: hunter2-secret }`,
    'edge: hunter2-secret',
    'sentry: hunter2-secret',
    'hunter2-secret',
    // Characters that YAML understands: it would quote what it does not.
    'key: *hunter2-secret',
    'key: !hunter2-secret x',
    'key: "x" hunter2-secret',
  ];
  for (const yaml of wrong) {
    const told = (await complaints(t, yaml)).join('\n');
    assert.match(told, /(?:found (?:something else|a list), expected|not valid YAML: )/);
    assert.doesNotMatch(told, /-secret/);
  }
});

test('names of accounts and patterns of repositories are checked', async (t) => {
  assert.match(
    (await complaints(t, `key: ${key}\naccounts: { Alice: { mac: "${mac}" } }`)).join(),
    /found the name "Alice"/,
  );
  for (const pattern of ['"*"', '"**"', 'docker.io', '"*/acme/app"', 'docker.io/**/app', 'docker.io/Acme']) {
    const told = await complaints(t, `key: ${key}\naccounts: { alice: { mac: "${mac}", allow: [${pattern}] } }`);
    assert.match(told.join(), /allow\[0\]: .*expected a registry and a repository/, pattern);
  }
});
