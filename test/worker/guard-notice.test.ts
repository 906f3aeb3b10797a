// A guard before a mirror on Node, which believes what it says of clients' TLS, and nobody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { openApp } from '../node/real-app.ts';
import { guarded } from './guarded.ts';

const secret = 'nobody-guesses-this'.padEnd(32, '!');
const w = guarded({ secrets: { EDGE_SECRET: secret } });
const target = '/v2/library/alpine/manifests/latest';
const warning =
  '299 - "sampan: you are connected by TLS 1.2; from 2027-03-01 on this mirror takes nothing but TLS 1.3, see https://example.com/tls"';

test('whoever comes to the guard by an old TLS is warned by the mirror behind it, whatever he says of himself', async (t) => {
  const registry = await startRegistry();
  t.after(() => registry.down());
  registry.hold('library/alpine', image({ layers: [layerOf(Buffer.from('layer'))] }), 'latest');
  const mirror = await openApp({
    registries: { 'docker.io': { endpoints: [registry.url] } },
    edge: { secret },
    tls_notice: { minimum: 'TLSv1.3', sunset: '2027-03-01', link: 'https://example.com/tls' },
  });
  t.after(() => mirror.close());
  const { host } = new URL(mirror.origin);
  const warned = async (tlsVersion: string, headers: Readonly<Record<string, string>> = {}) => {
    const { status, headers: got } = await w.send({ host, target, headers, cf: { tlsVersion } });
    assert.equal(status, 200);
    return got['warning'];
  };
  assert.equal(await warned('TLSv1.2'), warning);
  assert.equal(await warned('TLSv1.2', { 'x-client-ssl-protocol': 'TLSv1.3' }), warning);
  assert.equal(await warned('TLSv1.3'), undefined);
  assert.equal(await warned('TLSv1.3', { 'x-client-ssl-protocol': 'TLSv1.2' }), undefined);
  const past = await mirror.request({
    target,
    headers: { 'x-client-ssl-protocol': 'TLSv1.2', 'x-edge-secret': 'mine' },
  });
  assert.deepEqual([past.status, past.headers['warning']], [200, undefined]);
});
