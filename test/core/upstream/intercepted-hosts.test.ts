// For which hosts an authority is made: those of the named registries' API, and nobody else's.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { composeRegistries } from '../../../src/config/registries.ts';
import { interceptedHosts } from '../../../src/core/upstream/hosts.ts';

const registries = composeRegistries({
  catalogue: true,
  registries: {
    'corp.example': { endpoints: ['https://mirror.example', 'http://10.0.0.7', 'https://other.example:8443'] },
    'localhost:5000': {},
  },
});
const hosts = (...names: readonly string[]) => interceptedHosts(registries, names);

it('those of its API: by name, alias and endpoint', () => {
  assert.deepEqual(hosts('ghcr.io', '*.gcr.io'), ['ghcr.io', '*.gcr.io']);
  assert.deepEqual(hosts('corp.example'), ['corp.example', 'mirror.example']);
});

it('not the name of Docker Hub, below which its token service is', () => {
  assert.deepEqual(hosts('docker.io'), ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);
});

it('none with a port of its own, and none of a registry that was not named', () => {
  assert.deepEqual(hosts('localhost:5000', 'unknown.example'), []);
  assert.deepEqual(hosts(), []);
});
