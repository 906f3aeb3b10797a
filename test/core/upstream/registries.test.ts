// Finding a registry by the names that it goes by.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '../../../src/core/upstream/catalogue.ts';
import { Registries } from '../../../src/core/upstream/registries.ts';

const registries = new Registries(catalogue, { 'hub.example.com': 'docker.io', 'lost.example.com': 'nowhere.test' });

test('an alias means the registry that it is an alias of', () => {
  for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']) {
    assert.equal(registries.registry(name), 'docker.io');
  }
  assert.equal(registries.fallback, 'docker.io');
  assert.equal(new Registries([], {}).fallback, undefined);
});

test('a wildcard stands for the hosts below it, each with its own endpoint', () => {
  assert.equal(registries.registry('us-docker.pkg.dev'), 'us-docker.pkg.dev');
  assert.deepEqual(registries.find('us-docker.pkg.dev')?.endpoints, ['https://us-docker.pkg.dev']);
  assert.deepEqual(registries.find('eu.gcr.io')?.realms, ['https://eu.gcr.io/v2/token']);
  assert.deepEqual(registries.find('gcr.io')?.endpoints, ['https://gcr.io']);
});

test('nothing else is found, and least of all what would end up elsewhere in a URL', () => {
  for (const name of [
    '*.pkg.dev',
    'pkg.dev',
    '.pkg.dev',
    'a@b.pkg.dev',
    'a/b.pkg.dev',
    'evil.test#.pkg.dev',
    '-a.pkg.dev',
    'a..pkg.dev',
    'A.pkg.dev',
    'example.com',
    '',
  ]) {
    assert.equal(registries.registry(name), undefined, name);
  }
});

test('a later entry overrides an earlier one', () => {
  const own = {
    name: 'ghcr.io',
    aliases: [],
    endpoints: ['https://ghcr.lan'],
    mirrors: [],
    realms: [],
    redirects: [],
    cdns: [],
  };
  assert.deepEqual(new Registries([...catalogue, own], {}).find('ghcr.io'), own);
});

test('a Host header means the registry that it is mapped to', () => {
  assert.equal(registries.byHost('hub.example.com'), 'docker.io');
  assert.equal(registries.byHost('lost.example.com'), undefined);
  assert.equal(registries.byHost('example.com'), undefined);
});

test('every entry of the catalogue is https and says when and where somebody looked', () => {
  for (const entry of catalogue) {
    assert.match(entry.asOf, /^\d{4}-\d\d-\d\d$/);
    assert.notEqual(entry.source, '');
    assert.ok([...entry.endpoints, ...entry.realms].every((url) => url.startsWith('https://')));
  }
});
