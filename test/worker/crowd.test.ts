// Many requests in one isolate at once: nothing of one gets into another, and nobody waits for another's upstream.
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { manifestBytes, sendManifest, serve } from '../core/upstream/bench.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { patient, startEdge } from './edge.ts';

const crowd = 200;

test('200 requests for different registries at once do not mix, cold and warm, with tokens and without', async (t) => {
  const registries = await Promise.all(Array.from({ length: 4 }, startRegistry));
  const items = registries.map((registry, at) => {
    registry.levers.token = at % 2 === 0 ? { mark: `r${at}` } : undefined;
    return registry.hold('same/name', image({ layers: [layerOf(Buffer.alloc(20_000, `registry ${at}`))] }), 'latest');
  });
  const named = registries.map(({ url }, at) => [`r${at}.example`, { endpoints: [url] }]);
  const edge = await startEdge(
    { access: 'open', catalogue: false, registries: Object.fromEntries(named) },
    { before: patient },
  );
  t.after(() => Promise.all([edge.close(), ...registries.map((registry) => registry.down())]));

  const askAll = () =>
    Promise.all(
      Array.from({ length: crowd }, async (_, at) => {
        const which = at % registries.length;
        const item = items[which]!;
        const layer = item.blobs[1]!;
        const base = `/v2/r${which}.example/same/name`;
        const isBlob = at % 8 >= 4;
        const { status, body } = await edge.get(isBlob ? `${base}/blobs/${layer.digest}` : `${base}/manifests/latest`);
        assert.equal(status, 200);
        assert.deepEqual(body, isBlob ? Buffer.alloc(20_000, `registry ${which}`) : item.body);
      }),
    );
  // Cold, and then what is remembered and kept.
  await askAll();
  await askAll();
  for (const [at, { log, levers }] of registries.entries()) {
    const shown = log.flatMap(({ headers }) => headers.authorization ?? []);
    const own = levers.token === undefined ? /^never$/ : new RegExp(`^Bearer r${at}token-`);
    assert.deepEqual(
      shown.filter((each) => !own.test(each)),
      [],
    );
  }
});

test('a request whose upstream hangs keeps nobody else from the same thing', async (t) => {
  const registry = await startRegistry();
  const layer = registry.holdBlob('same/name', layerOf(Buffer.alloc(500_000, 'x')));
  const registries = { 'docker.io': { endpoints: [registry.url] } };
  const edge = await startEdge({ access: 'open', registries }, { before: patient });
  t.after(() => Promise.all([edge.close(), registry.down()]));
  const held = new Gate();
  registry.levers.stall = { after: 1000, gate: held };
  const first = edge.get(`/v2/same/name/blobs/${layer.digest}`);
  await held.reached();
  registry.levers.stall = undefined;
  assert.equal((await edge.get(`/v2/same/name/blobs/${layer.digest}`)).body.length, 500_000);
  held.open();
  assert.equal((await first).body.length, 500_000);
});

test('a client that leaves takes nobody’s answer along', { timeout: 20_000 }, async (t) => {
  const asked = Promise.withResolvers<void>();
  let questions = 0;
  const upstream = await serve((request, response) => {
    questions += 1;
    if (questions === 1) asked.resolve();
    else sendManifest(request, response);
  });
  const edge = await startEdge({ access: 'open', registries: { 'docker.io': { endpoints: [upstream.url] } } });
  t.after(() => edge.close());
  const path = '/v2/same/name/manifests/latest';
  const leaving = get({ host: edge.url.hostname, port: edge.url.port, path }).on('error', () => {});
  await asked.promise;
  const staying = edge.get(path);
  leaving.destroy();
  assert.deepEqual((await staying).body, manifestBytes);
});
