// Which token services are trusted, and how far.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trustOfRealm } from '../../../src/core/upstream/realm.ts';

const domains: Record<string, string> = {
  'registry-1.docker.io': 'docker.io',
  'auth.docker.io': 'docker.io',
  'auth.docker.io.evil.test': 'evil.test',
  // As if by a careless list of suffixes.
  '10.0.0.1': '0.1',
  '10.1.0.1': '0.1',
};

function trust(realm: string, endpoint: string, realms: readonly string[] = []): string | undefined {
  const registry = { name: 'x', aliases: [], endpoints: [endpoint], mirrors: [], realms, redirects: [], cdns: [] };
  return trustOfRealm(
    new URL(realm),
    new URL(endpoint),
    registry,
    (host) => domains[host] ?? (host.includes('.') ? '' : undefined),
  );
}

test('a realm on the endpoint’s own host or on its domain is trusted over https only', () => {
  assert.equal(trust('https://registry-1.docker.io/token', 'https://registry-1.docker.io'), 'configured');
  assert.equal(trust('https://auth.docker.io/token', 'https://registry-1.docker.io'), 'public');
  assert.equal(trust('http://auth.docker.io/token', 'https://registry-1.docker.io'), undefined);
  assert.equal(trust('http://registry-1.docker.io/token', 'https://registry-1.docker.io'), undefined);
  assert.equal(trust('https://auth.docker.io.evil.test/token', 'https://registry-1.docker.io'), undefined);
  assert.equal(trust('https://user@registry-1.docker.io/token', 'https://registry-1.docker.io'), undefined);
});

test('hosts without a domain do not share one', () => {
  assert.equal(trust('https://auth/token', 'https://registry'), undefined);
  assert.equal(trust('https://b.suffix/token', 'https://a.suffix'), undefined);
  assert.equal(trust('https://10.0.0.2/token', 'https://10.0.0.1'), undefined);
  assert.equal(trust('https://10.1.0.1/token', 'https://10.0.0.1'), undefined);
  assert.equal(trust('https://[::2]/token', 'https://[::1]'), undefined);
});

test('an endpoint without TLS or name trusts its own host, over nothing weaker', () => {
  assert.equal(trust('http://10.0.0.1:5001/token', 'http://10.0.0.1:5000'), 'configured');
  assert.equal(trust('https://10.0.0.1:5001/token', 'http://10.0.0.1:5000'), 'configured');
  assert.equal(trust('http://10.0.0.1/token', 'https://10.0.0.1'), undefined);
  assert.equal(trust('https://auth.docker.io/token', 'http://registry-1.docker.io'), undefined);
});

test('a pinned realm is trusted at its path, or on its whole origin if it has none', () => {
  const endpoint = 'https://registry.test';
  assert.equal(trust('http://10.0.0.9/token?a=b', endpoint, ['http://10.0.0.9/token']), 'configured');
  assert.equal(trust('http://10.0.0.9/other', endpoint, ['http://10.0.0.9/token']), undefined);
  assert.equal(trust('http://10.0.0.9/other', endpoint, ['http://10.0.0.9']), 'configured');
  assert.equal(trust('http://10.0.0.9:81/other', endpoint, ['http://10.0.0.9']), undefined);
});
