// Which hosts belong to registries, and to which.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '../../../src/core/upstream/catalogue.ts';
import { Hosts } from '../../../src/core/upstream/hosts.ts';

const entry = { aliases: [], mirrors: [], realms: [], redirects: [], cdns: [] };

test('the catalogue knows where clients of each registry have to go', () => {
  const hosts = new Hosts(catalogue);
  const places: readonly (readonly [host: string, registry: string, isRegistry: boolean])[] = [
    ['registry-1.docker.io', 'docker.io', true],
    ['index.docker.io', 'docker.io', true],
    ['auth.docker.io', 'docker.io', false],
    ['production.cloudfront.docker.com', 'docker.io', false],
    ['ghcr.io', 'ghcr.io', true],
    ['pkg-containers.githubusercontent.com', 'ghcr.io', false],
    ['cdn03.quay.io', 'quay.io', false],
    ['westeurope.data.mcr.microsoft.com', 'mcr.microsoft.com', false],
    ['eu.gcr.io', 'eu.gcr.io', true],
    ['europe-west1-docker.pkg.dev', 'europe-west1-docker.pkg.dev', true],
    ['prod-registry-k8s-io-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com', 'registry.k8s.io', false],
    ['gitlab.com', 'registry.gitlab.com', false],
  ];
  for (const [host, registry, isRegistry] of places) assert.deepEqual(hosts.find(host), { registry, isRegistry }, host);
});

test('nothing else belongs to anybody: names end at a dot, and no rule is everybody’s', () => {
  const hosts = new Hosts(catalogue);
  for (const host of [
    'evildocker.io',
    'docker.io.evil.com',
    'evil.docker.io',
    'registry-1.docker.io.evil.com',
    'xquay.io',
    'pkg.dev',
    'evilpkg.dev',
    'data.mcr.microsoft.com',
    'microsoft.com',
    'evil.s3.dualstack.eu-west-1.amazonaws.com',
    'd111111abcdef8.cloudfront.net',
    'localhost',
    'io',
    '',
    '.',
  ]) {
    assert.equal(hosts.find(host), undefined, host);
  }
});

test('of a registry of one’s own, every host that is named without another port belongs to it', () => {
  const own = {
    ...entry,
    name: 'registry.example',
    aliases: ['hub.example', 'hub.lan:5000'],
    endpoints: [
      'https://api.example/path',
      'https://told.example:443',
      'http://plain.example:80/',
      'https://asked.example?x',
      'http://other.lan:5000',
      'https://plain.lan:80',
      'https://[::1]',
      'https://{host}.mirror.example',
    ],
    realms: ['https://auth.example/token'],
    redirects: ['https://CDN.example', 'http://cdn.lan:9000'],
    cdns: ['*.layers.example'],
  };
  const hosts = new Hosts([own]);
  const named = ['registry.example', 'hub.example', 'api.example', 'told.example', 'plain.example', 'asked.example'];
  for (const host of [...named, 'registry.example.mirror.example']) {
    assert.deepEqual(hosts.find(host), { registry: 'registry.example', isRegistry: true }, host);
  }
  for (const host of ['auth.example', 'cdn.example', 'a.layers.example', 'a.b.layers.example']) {
    assert.deepEqual(hosts.find(host), { registry: 'registry.example', isRegistry: false }, host);
  }
  const others = ['hub.lan', 'other.lan', 'plain.lan', 'cdn.lan', '[', '[::1]', 'asked.example?x', 'layers.example'];
  for (const host of others) assert.equal(hosts.find(host), undefined, host);
});

test('what the owner allows is nobody’s, unless it is a registry’s', () => {
  const hosts = new Hosts(catalogue, ['hub.docker.com', '*.example.com', 'ghcr.io']);
  assert.deepEqual(hosts.find('hub.docker.com'), { registry: undefined, isRegistry: false });
  assert.deepEqual(hosts.find('a.example.com'), { registry: undefined, isRegistry: false });
  assert.equal(hosts.find('example.com'), undefined);
  assert.equal(hosts.find('ghcr.io')?.isRegistry, true);
});

test('a wildcard’s URL is a rule where its host is all that stands before a domain', () => {
  const endpoints = [
    'https://{host}.mirror.example',
    'https://a-{host}',
    'https://{host}:5000',
    'https://one.example/{host}',
  ];
  const hosts = new Hosts([{ ...entry, name: '*.example.com', endpoints }]);
  assert.equal(hosts.find('a.example.com.mirror.example')?.isRegistry, true);
  assert.equal(hosts.find('one.example')?.isRegistry, true);
  assert.equal(hosts.find('a-example.com'), undefined);
});

test('an authority is believed of a host if all registries that are reached there say so', () => {
  const at = (name: string, host: string, ca?: string) => ({ ...entry, name, endpoints: [`https://${host}`], ca });
  const found = (...registries: readonly ReturnType<typeof at>[]) => new Hosts(registries).find('hub.lan')?.ca;
  assert.equal(found(at('a.lan', 'hub.lan', 'A')), 'A');
  assert.equal(found(at('a.lan', 'hub.lan', 'A'), at('b.lan', 'hub.lan', 'A')), 'A');
  assert.equal(found(at('a.lan', 'hub.lan', 'A'), at('hub.lan', 'b.lan')), undefined);
  assert.equal(found(at('hub.lan', 'b.lan'), at('a.lan', 'hub.lan', 'A')), undefined);
  assert.equal(found(at('a.lan', 'hub.lan', 'A'), at('b.lan', 'hub.lan', 'B')), undefined);
  // Its layers' host is not its own.
  assert.equal(new Hosts([{ ...at('a.lan', 'a.lan', 'A'), cdns: ['cdn.lan'] }]).find('cdn.lan')?.ca, undefined);
});
