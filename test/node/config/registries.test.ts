// Which registries are served, out of the catalogue and what the configuration says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '../../../src/core/upstream/catalogue.ts';
import type { Config } from '../../../src/node/config/config.ts';
import { read } from './reading.ts';

function registry(config: Config, name: string) {
  return config.registries.find((each) => each.name === name);
}

test('another registry takes two lines, with or without the braces', async (t) => {
  for (const yaml of ['registries:\n  registry.example.com: {}', 'registries:\n  registry.example.com:']) {
    const config = await read(t, yaml);
    assert.deepEqual(registry(config, 'registry.example.com'), {
      name: 'registry.example.com',
      aliases: [],
      endpoints: ['https://registry.example.com'],
      mirrors: [],
      realms: [],
      redirects: [],
      cdns: [],
      freshFor: 60_000,
      staleFor: 86_400_000,
      lanes: 4,
      stallAfter: 10_000,
      login: undefined,
      credentials: undefined,
      ca: undefined,
      limits: undefined,
    });
    assert.equal(config.registries.length, catalogue.length + 1);
  }
});

test('a registry under a wildcard keeps {host} for the host that is asked for; another one has its own name there', async (t) => {
  const config = await read(
    t,
    'registries: { "*.example.com": {}, a.example: { endpoints: ["https://harbor.lan/{host}"] } }',
  );
  assert.deepEqual(registry(config, '*.example.com')?.endpoints, ['https://{host}']);
  assert.deepEqual(registry(config, 'a.example')?.endpoints, ['https://harbor.lan/a.example']);
});

test('what is said of a registry of the catalogue is added to its entry', async (t) => {
  const known = catalogue.find(({ name }) => name === 'docker.io');
  const hub = registry(
    await read(t, 'registries: { docker.io: { mirrors: [https://mirror.gcr.io], fresh_for: 1h } }'),
    'docker.io',
  );
  assert.ok(hub !== undefined);
  assert.deepEqual(hub.endpoints, known?.endpoints);
  assert.deepEqual(hub.realms, known?.realms);
  assert.deepEqual(hub.aliases, known?.aliases);
  assert.deepEqual([hub.mirrors, hub.freshFor], [['https://mirror.gcr.io'], 3_600_000]);
});

test('with other endpoints, the realms of the catalogue no longer count, but the names do', async (t) => {
  const hub = registry(
    await read(t, 'registries: { docker.io: { endpoints: [https://harbor.lan/hub] } }'),
    'docker.io',
  );
  assert.deepEqual(hub?.realms, []);
  assert.ok(hub?.aliases.includes('index.docker.io'));
});
