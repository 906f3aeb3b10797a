// The Worker tells who comes by an old version of TLS, as Cloudflare says it, and nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fieldsOf, warningRead } from '../conformance/warning.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { type Edge, startEdge } from './edge.ts';

const tls_notice = { minimum: 'TLSv1.3', sunset: '2027-03-01', link: 'https://example.com/tls' };
const said =
  'sampan: you are connected by TLS 1.2; from 2027-03-01 on this mirror takes nothing but TLS 1.3, see https://example.com/tls';
const manifest = '/v2/library/alpine/manifests/latest';

/** In place of Cloudflare, which tells of each request by which version of TLS it came. */
const front = `
import worker from './mirror.js';
export default {
  fetch(request, env, context) {
    const told = request.headers.get('x-test-tls');
    const cf = told === null ? {} : { tlsVersion: told };
    return worker.fetch(new Request(request, { cf }), env, context);
  },
};`;

describe('who comes to the Worker by an old version of TLS', () => {
  let hub: FakeRegistry;
  let edge: Edge;
  before(async () => {
    hub = await startRegistry();
    hub.hold('library/alpine', image({ layers: [layerOf(Buffer.from('a layer'))] }), 'latest');
    const registries = { 'docker.io': { endpoints: [hub.url], fresh_for: '0s' } };
    edge = await startEdge({ access: 'open', registries, tls_notice }, { around: front });
  });
  after(async () => {
    await edge?.close();
    await hub?.down();
  });

  const warnings = async (path: string, tls?: string) => {
    const { rawHeaders } = await edge.get(path, {
      host: 'hub.example.com',
      ...(tls !== undefined && { 'x-test-tls': tls }),
    });
    return fieldsOf(rawHeaders, 'warning');
  };

  test('is warned with every answer of the registry API', async () => {
    for (const path of ['/v2/', manifest, '/v2/library/none/manifests/latest', '/nonsense']) {
      assert.deepEqual(await warnings(path, 'TLSv1.2'), [`299 - "${said}"`], path);
      for (const other of ['TLSv1.3', 'none', 'QUIC', undefined]) assert.deepEqual(await warnings(path, other), []);
    }
  });

  test('is warned beside what else there is to warn of, in a field of its own', async (t) => {
    await warnings(manifest, 'TLSv1.2');
    hub.levers.answers.push({ path: /manifests/, status: 429 });
    t.after(() => hub.levers.answers.splice(0));
    const stale = 'sampan: the upstream registry limits the rate of requests; this is what it last had';
    assert.deepEqual((await warnings(manifest, 'TLSv1.2')).map(warningRead), [stale, said]);
  });

  test('has a banner on the page', async () => {
    const page = async (tls: string) =>
      (await edge.get('/', { host: 'hub.example.com', 'x-test-tls': tls })).body.toString();
    assert.match(await page('TLSv1.1'), /<aside role="note">[^]*TLS 1\.1[^]*docker pull/);
    assert.doesNotMatch(await page('TLSv1.3'), /<aside/);
  });
});
