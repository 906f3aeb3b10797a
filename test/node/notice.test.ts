// Who connects by an old version of TLS is told so by the real app: in pulls, in the status, on the page; nobody else is.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { buffer } from 'node:stream/consumers';
import type { SecureVersion } from 'node:tls';
import { startApp } from '../../src/node/app.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';
import { fieldsOf, warningRead } from '../conformance/warning.ts';
import { image } from '../fakes/registry/content.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { need } from '../lab/need.ts';
import { makePair, type Pair, temporary } from './pair.ts';

const said =
  'sampan: you are connected by TLS 1.2; from 2027-03-01 on this mirror takes nothing but TLS 1.3, see https://example.com/tls';
const tls_notice = { minimum: 'TLSv1.3', since: '2026-12-01', sunset: '2027-03-01', link: 'https://example.com/tls' };
const edgeSecret = 'e'.repeat(40);
const alpine = image();
const manifest = '/v2/library/alpine/manifests/latest';

interface Asking {
  readonly by?: SecureVersion;
  readonly headers?: http.OutgoingHttpHeaders;
}

describe('who comes by an old version of TLS', { skip: need('openssl') }, () => {
  let hub: FakeRegistry;
  before(async () => {
    hub = await startRegistry();
    hub.hold('library/alpine', alpine, 'latest');
  });
  after(() => hub?.down());

  /** `secure`: by a certificate of its own; else in plain HTTP. */
  async function start(t: TestContext, settings: object = {}, secure = true) {
    const directory = temporary(t);
    const pair: Pair | undefined = secure ? makePair(directory, 'sampan') : undefined;
    const registries = { 'docker.io': { endpoints: [hub.url], fresh_for: '0s' } };
    const tls = pair && { certificate: 'sampan.crt', key: 'sampan.key' };
    const all = {
      listen: '127.0.0.1:0',
      stop_within: '0s',
      catalogue: false,
      registries,
      tls_notice,
      tls,
      ...settings,
    };
    writeFileSync(join(directory, 'sampan.yaml'), JSON.stringify(all));
    const config = await readConfig({ flags: { config: 'sampan.yaml' }, environment: {}, directory });
    const lines: string[] = [];
    const app = await startApp(config, createLog('debug', { write: (line) => lines.push(line) }));
    t.after(() => app.close());
    const port = Number(app.address.split(':').at(-1));

    async function get(path: string, { by = 'TLSv1.2', headers = {} }: Asking = {}) {
      const options = { host: '127.0.0.1', port, path, headers, agent: false } as const;
      const request = pair
        ? https.get({ ...options, ca: pair.ca, maxVersion: by, checkServerIdentity: () => undefined })
        : http.get(options);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const warnings = fieldsOf(response.rawHeaders, 'warning');
      return { status: response.statusCode, headers: response.headers, warnings, body: String(await buffer(response)) };
    }
    return { app, lines, get };
  }

  test('is warned with every answer of the registry API, and who comes by a new one is not', async (t) => {
    const { get } = await start(t);
    for (const [path, status] of [
      ['/v2/', 200],
      [manifest, 200],
      ['/v2/library/alpine/tags/list', 200],
      ['/v2/library/none/manifests/latest', 404],
      ['/nonsense', 404],
    ] as const) {
      const old = await get(path);
      assert.deepEqual([old.status, old.warnings], [status, [`299 - "${said}"`]], path);
      assert.equal(warningRead(old.warnings[0] ?? ''), said);
      assert.deepEqual((await get(path, { by: 'TLSv1.3' })).warnings, [], path);
    }
    assert.deepEqual((await get('/healthz')).warnings, []);
  });

  test('is warned beside what else there is to warn of, in a field of its own', async (t) => {
    const { get } = await start(t);
    await get(manifest);
    // Only what is held whole is served stale.
    for (const { digest } of alpine.blobs) {
      while ((await get(`/v2/library/alpine/blobs/${digest}`)).headers['cache-status'] !== 'sampan; hit');
    }
    hub.levers.answers.push({ path: /manifests/, status: 429 });
    t.after(() => hub.levers.answers.splice(0));
    const stale = 'sampan: the upstream registry limits the rate of requests; this is what it last had';
    const old = await get(manifest);
    assert.deepEqual(old.warnings, [`299 - "${stale}"`, `299 - "${said}"`]);
    assert.deepEqual(old.warnings.map(warningRead), [stale, said]);
    assert.deepEqual((await get(manifest, { by: 'TLSv1.3' })).warnings, [`299 - "${stale}"`]);
  });

  test('reads it in the status, which counts who is left, as the metrics do', async (t) => {
    const { get } = await start(t);
    await get('/v2/');
    await get('/v2/', { by: 'TLSv1.3' });
    await get('/v2/', { by: 'TLSv1.3' });
    const old = await get('/_sampan/status.json');
    assert.equal(old.headers['deprecation'], '@1796083200');
    assert.equal(old.headers['sunset'], 'Mon, 01 Mar 2027 00:00:00 GMT');
    assert.match(String(old.headers['link']), /^<https:\/\/example\.com\/tls>; rel="deprecation", /);
    const status = JSON.parse(old.body);
    assert.deepEqual(status.notice, {
      text: said,
      found: 'TLS 1.2',
      expected: 'TLS 1.3',
      sunset: '2027-03-01',
      link: 'https://example.com/tls',
    });
    assert.deepEqual([status.pulls.byTls['TLSv1.2'], status.pulls.byTls['TLSv1.3']], [1, 2]);
    const fresh = await get('/_sampan/status.json', { by: 'TLSv1.3' });
    assert.equal(fresh.headers['deprecation'], undefined);
    assert.equal('notice' in JSON.parse(fresh.body), false);
    const metrics = (await get('/metrics')).body;
    assert.match(metrics, /^sampan_requests_by_tls_total\{version="TLSv1\.2"\} 1$/m);
    assert.match(metrics, /^sampan_requests_by_tls_total\{version="TLSv1\.3"\} 2$/m);
  });

  test('has a banner on the page, also where nobody else is shown one', async (t) => {
    const here = await start(t);
    assert.match((await here.get('/')).body, /<aside role="note">[^]*TLS 1\.2[^]*status\.json/);
    assert.doesNotMatch((await here.get('/', { by: 'TLSv1.3' })).body, /<aside/);
    const elsewhere = await here.get('/', { headers: { host: 'hub.example.com' } });
    assert.equal(elsewhere.status, 403);
    assert.match(elsewhere.body, /<aside role="note">[^]*TLS 1\.2[^]*only shown on this machine/);
    assert.doesNotMatch(elsewhere.body, /status\.json/);
    const closed = await here.get('/_sampan/status.json', { headers: { host: 'hub.example.com' } });
    assert.deepEqual([closed.status, closed.headers['deprecation']], [403, undefined]);
  });

  test('by a guard that shows the secret is believed to, and by nobody else', async (t) => {
    const { get, lines } = await start(t, { edge: { secret: edgeSecret } }, false);
    const told = async (headers: http.OutgoingHttpHeaders) => (await get(manifest, { headers })).warnings.length;
    const old = { 'X-Client-SSL-Protocol': 'TLSv1.2' };
    assert.equal(await told({ ...old, 'X-Edge-Secret': edgeSecret }), 1);
    assert.equal(await told({ 'X-Client-SSL-Protocol': 'TLSv1.3', 'X-Edge-Secret': edgeSecret }), 0);
    for (const wrong of ['', 'e'.repeat(39), `${edgeSecret} `.repeat(2), [edgeSecret, edgeSecret]]) {
      assert.equal(await told({ ...old, 'X-Edge-Secret': wrong }), 0, String(wrong));
    }
    assert.equal(await told(old), 0);
    const { pulls } = JSON.parse((await get('/_sampan/status.json')).body);
    assert.deepEqual([pulls.byTls['TLSv1.2'], pulls.byTls['TLSv1.3'], pulls.byTls.unknown], [1, 1, 5]);
    assert.ok(!lines.join().includes('e'.repeat(39)), 'the secret is in the log');
    const upstream = JSON.stringify(hub.log);
    assert.ok(!upstream.includes('e'.repeat(39)) && !/ssl-protocol/i.test(upstream), 'it went upstream');
  });

  test('is sent by https to where tokens are', async (t) => {
    const registries = { 'docker.io': { endpoints: [hub.url], login: 'own' } };
    const { get, app } = await start(t, { registries, key: 'k'.repeat(32) });
    const { headers } = await get('/v2/', { headers: { host: app.address } });
    assert.match(headers['www-authenticate'] ?? '', new RegExp(`realm="https://${app.address}/token"`));
  });
});
