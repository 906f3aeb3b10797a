// A configuration that is read anew: what is refused, what has to wait for the next start, and what is said of it.
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { type Running, start } from './reloading.ts';

function last({ lines }: Running): Readonly<Record<string, unknown>> {
  return JSON.parse(lines.at(-1) ?? '') as Readonly<Record<string, unknown>>;
}

async function counted({ get }: Running): Promise<readonly string[]> {
  const page = await text(await get('/metrics'));
  return page.split('\n').filter((line) => line.startsWith('sampan_config_reloads_total'));
}

test('one that is wrong is refused as a whole, with the usual words, and what was before stays', async (t) => {
  const running = await start(t, { access: { networks: ['203.0.113.0/24'] } });
  await running.reload({ access: 'opn', stop_within: '1s' });
  const { level, msg } = last(running);
  assert.equal(level, 'error');
  assert.equal(
    msg,
    'everything stays as it was: the configuration has an error | SAMPAN_ACCESS: access: found "opn", expected open, login, or a map with the key networks',
  );
  assert.equal(await running.status('/v2/'), 403);
  assert.deepEqual(await counted(running), ['sampan_config_reloads_total{outcome="refused"} 1']);
});

test('the log tells which keys changed, and the metrics how often', async (t) => {
  const running = await start(t, {});
  await running.reload({});
  assert.equal(last(running)['msg'], 'read the configuration anew: nothing changed');
  await running.reload({ storage_scrub: 'off', trusted_proxies: ['10.0.0.1'], registries: { 'a.example': {} } });
  assert.equal(
    last(running)['msg'],
    'read the configuration anew: changed storage.scrub, trusted_proxies, registries.a.example',
  );
  assert.deepEqual(await counted(running), [
    'sampan_config_reloads_total{outcome="unchanged"} 1',
    'sampan_config_reloads_total{outcome="applied"} 1',
  ]);
});

test('what was opened at the start waits for the next, and that is said each time', async (t) => {
  const running = await start(t, {});
  const next = {
    listen: '127.0.0.1:1',
    data: '/nowhere',
    admin_listen: '127.0.0.1:2',
    hosts: { 'a.example': 'docker.io' },
  };
  for (const changed of ['changed hosts', 'nothing changed']) {
    await running.reload({ ...next });
    const { msg, later } = last(running);
    assert.match(String(msg), new RegExp(changed));
    assert.match(
      String(msg),
      /; listen: changes at the next start; data: changes at the next start; admin\.listen: changes/,
    );
    assert.deepEqual(later, ['listen', 'data', 'admin.listen']);
  }
  assert.equal(await running.status('/healthz'), 200);
});

test('who may pull where all can reach it is not decided by a configuration for the loopback', async (t) => {
  const closed = { listen: '0.0.0.0:0', access: { networks: ['203.0.113.0/24'] } };
  const running = await start(t, closed);
  await running.reload({});
  assert.deepEqual(last(running)['later'], ['listen', 'access']);
  assert.equal(await running.status('/v2/'), 403);
  await running.reload({ ...closed, access: 'open' });
  assert.equal(await running.status('/v2/'), 200);
});

test('a level of the log counts from then on', async (t) => {
  const running = await start(t, { log_level: 'error' });
  await running.status('/v2/');
  assert.deepEqual(running.lines, []);
  await running.reload({ log_level: 'info' });
  await running.status('/v2/');
  assert.equal(running.lines.length, 2);
});

test('the store has its new limit at once', async (t) => {
  const running = await start(t, { storage_limit: '10MB' });
  await running.reload({ storage_limit: '5MB' });
  const { storage } = JSON.parse(await text(await running.get('/_sampan/status.json'))) as { storage: object };
  assert.deepEqual(storage, { bytes: 0, reserved: 0, blobs: 0, limit: 5_000_000 });
});

test('of two that are read at once the later one counts', async (t) => {
  const running = await start(t, {});
  await Promise.all([running.reload({ access: { networks: ['203.0.113.0/24'] } }), running.reload({ access: 'open' })]);
  assert.equal(await running.status('/v2/'), 200);
});

test('whom to tell of old TLS, and whom to believe it, counts at once; another certificate waits for the next start', async (t) => {
  const running = await start(t, {});
  const edge = { edge_secret: 'e'.repeat(32), tls_notice_minimum: 'TLSv1.3' };
  await running.reload({ ...edge, tls_certificate: '/a.pem', tls_key: '/a.key' });
  const { changed, later } = last(running);
  assert.deepEqual(
    [changed, later],
    [
      ['tls_notice', 'edge'],
      ['tls.certificate', 'tls.key', 'tls.minimum'],
    ],
  );
  const headers = { 'x-client-ssl-protocol': 'TLSv1.2', 'x-edge-secret': 'e'.repeat(32) };
  const told = await running.get('/v2/', headers);
  assert.match(String(told.headers['warning']), /TLS 1\.2/);
  await text(told);
});
