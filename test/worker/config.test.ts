// The Worker's configuration: the same keys, but for those that have no meaning there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ConfigError } from '../../src/config/problem.ts';
import { schema } from '../../src/node/config/schema.ts';
import { readConfig } from '../../src/worker/config.ts';

/** As if `found` were the variable SAMPAN_CONFIG, beside `others`. */
function read(found: unknown, others: Readonly<Record<string, string>> = {}) {
  return readConfig((name) => (name === 'SAMPAN_CONFIG' ? found : others[name]));
}

function complaints(found: unknown): string {
  try {
    read(found);
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}

test('nothing at all is a configuration, of which nobody may pull', () => {
  for (const found of [undefined, {}, '', '{}']) {
    const { access, registries } = read(found);
    assert.equal(access, undefined);
    assert.ok(registries.some(({ name }) => name === 'docker.io'));
  }
});

test('what it has in common with a process is read alike', () => {
  const { access, hosts, registries } = read({
    access: { networks: ['10.0.0.0/8'] },
    hosts: { 'hub.example.com': 'docker.io' },
    registries: { 'docker.io': { endpoints: ['https://a.example/'], fresh_for: '5m' } },
  });
  assert.equal(access?.kind, 'networks');
  assert.deepEqual(hosts, { 'hub.example.com': 'docker.io' });
  const hub = registries.find(({ name }) => name === 'docker.io');
  assert.deepEqual(hub?.endpoints, ['https://a.example']);
  assert.equal(hub.freshFor, 300_000);
});

test('every key that only a process has is an error that says so', () => {
  const known = new Set([
    'access',
    'key',
    'accounts',
    'rules',
    'registries',
    'catalogue',
    'hosts',
    'sentry',
    'tls_notice',
  ]);
  const others = Object.keys(schema.out.shape).filter((key) => !known.has(key));
  assert.ok(others.includes('listen'));
  for (const key of others) {
    assert.match(complaints({ [key]: {} }), new RegExp(`SAMPAN_CONFIG: ${key}: found a key for a sampan on a machine`));
  }
  for (const key of ['lanes', 'ca']) {
    assert.match(
      complaints({ registries: { 'ghcr.io': { [key]: 4 } } }),
      new RegExp(`io.${key}: found a key for a sampan`),
    );
  }
});

test('the key and the passwords are secrets of their own', () => {
  const registries = { 'docker.io': { login: 'own', credentials: { username: 'u', password_env: 'HUB' } } };
  const config = read({ registries }, { SAMPAN_KEY: 'k'.repeat(32), HUB: 'swordfish' });
  assert.equal(config.key, 'k'.repeat(32));
  const hub = config.registries.find(({ name }) => name === 'docker.io');
  assert.deepEqual(hub?.credentials, [{ username: 'u', password: 'swordfish' }]);
  const file = { 'docker.io': { credentials: { username: 'u', password_file: '/x' } } };
  assert.match(complaints({ registries: file }), /docker\.io\.credentials: a Worker has no files/);
  assert.match(complaints({ registries }), /docker\.io\.login: needs a key[^]*the variable HUB without a value/);
});

test('everything else that is wrong is told as everywhere', () => {
  assert.match(complaints('{ "access": open }'), /SAMPAN_CONFIG: found what is no JSON/);
  assert.match(complaints({ acces: 'open' }), /acces: found an unknown key; did you mean access\?/);
  assert.match(
    complaints({ access: 'all' }),
    /access: found "all", expected open, login, or a map with the key networks/,
  );
  assert.match(complaints({ hosts: { 'a.example': 'nothing.example' } }), /nothing\.example, which is not configured/);
});

test('the examples of the guide are configurations', () => {
  const guide = readFileSync(new URL('../../docs/worker.md', import.meta.url), 'utf8');
  const examples = [...guide.matchAll(/^ *```json\n([^`]+)```$/gm)].map(([, example = '']) => example);
  assert.ok(examples.length >= 3);
  for (const example of examples) {
    assert.notEqual(read(example, { SAMPAN_KEY: 'k'.repeat(32) }).access, undefined, example);
  }
});
