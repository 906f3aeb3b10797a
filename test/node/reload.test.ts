// A configuration that is read anew: what counts at once, for whom, and that nothing which runs notices.
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { macOfSecret } from '../../src/core/access/accounts.ts';
import { toHex } from '../../src/core/access/mac.ts';
import { createSecret } from '../../src/core/access/secret.ts';
import { createMac } from '../../src/node/mac.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { type Settings, start } from './reloading.ts';

const layer = layerOf(randomBytes(1, 3_000_000));
const held = image({ layers: [layer] });
const manifest = '/v2/lab.example/app/manifests/1';
const blob = `/v2/lab.example/app/blobs/${layer.digest}`;

async function lab(t: TestContext): Promise<FakeRegistry> {
  const registry = await startRegistry();
  t.after(() => registry.down());
  registry.hold('app', held, '1');
  return registry;
}

const served = ({ url }: FakeRegistry, more: Settings = {}) => ({
  registries: { 'lab.example': { endpoints: [url], ...more } },
});

function asked({ log }: FakeRegistry, what: string): number {
  return log.filter(({ method, path }) => method === 'GET' && path.includes(what)).length;
}

test('a pull that runs while everything around it changes ends whole, and who joins it afterwards shares its download', async (t) => {
  const [registry, other] = [await lab(t), await lab(t)];
  const { reload, get, status, lines } = await start(t, served(registry));
  const gate = new Gate();
  registry.levers.stall = { after: 1_000_000, gate };
  assert.equal(await status(manifest), 200);
  const first = await get(blob);
  await gate.reached();

  await reload({ ...served(other, { lanes: 1, stall_after: '5m' }), resolve: { 'lab.example': '127.0.0.1:9' } });
  assert.match(lines.at(-1) ?? '', /"changed":\["resolve","registries.lab.example"\]/);
  const second = await get(blob);
  assert.match(String(second.headers['cache-status']), /collapsed/);
  gate.open();
  const [one, two] = await Promise.all([buffer(first), buffer(second)]);
  assert.deepEqual(one, Buffer.from(layer.bytes.read(0, layer.bytes.size)));
  assert.deepEqual(two, one);
  assert.equal(asked(registry, layer.digest) + asked(other, layer.digest), 1, 'one download');
});

test('a pull goes on with the registry that it was begun with, which is gone for others', async (t) => {
  const registry = await lab(t);
  const { reload, get, status } = await start(t, served(registry));
  const gate = new Gate();
  assert.equal(await status(manifest), 200);
  // It breaks off after the change, so that the rest is asked for then.
  registry.levers.stall = { after: 1_000_000, gate };
  registry.levers.breakOff = { after: 1_500_000, times: 1 };
  const running = await get(blob);
  await gate.reached();
  await reload({ registries: { 'other.example': { endpoints: [registry.url] } } });
  assert.equal(await status(blob), 404);
  assert.equal(await status(manifest), 404);
  assert.equal(await status(manifest.replace('lab.', 'other.')), 200);
  gate.open();
  assert.equal((await buffer(running)).length, layer.bytes.size);
  assert.ok(asked(registry, layer.digest) > 1);
});

test('connections stay open, and what comes on them next meets the new rules', async (t) => {
  const registry = await lab(t);
  const { reload, get } = await start(t, served(registry));
  const ports = new Set<number | undefined>();
  async function seen(): Promise<number | undefined> {
    const response = await get('/v2/');
    ports.add(response.socket.localPort);
    await buffer(response);
    return response.statusCode;
  }
  assert.equal(await seen(), 200);
  await reload({ ...served(registry), access: { networks: ['203.0.113.0/24'] } });
  assert.equal(await seen(), 403);
  await reload({ ...served(registry), access: { networks: ['203.0.113.0/24'] }, trusted_proxies: ['127.0.0.1'] });
  assert.equal(await seen(), 403);
  await reload(served(registry));
  assert.equal(await seen(), 200);
  assert.equal(ports.size, 1);
});

test('an endpoint that is replaced is asked no more, not even for what it failed at', async (t) => {
  const [broken, well] = [await lab(t), await lab(t)];
  await broken.down();
  const { reload, status } = await start(t, served(broken));
  assert.equal(await status(manifest), 503);
  await reload(served(well));
  assert.equal(await status(manifest), 200);
});

test('a pin that is taken away or changed is dialled no more, and one that comes is', async (t) => {
  const [one, other] = [await lab(t), await lab(t)];
  const at = ({ url }: FakeRegistry) => ({
    registries: { 'lab.example': { endpoints: ['http://lab.example'], fresh_for: '0s' } },
    resolve: { 'lab.example': new URL(url).host },
  });
  const { reload, status } = await start(t, at(one));
  assert.equal(await status(manifest), 200);
  await reload(at(other));
  one.log.length = 0;
  assert.equal(await status(manifest), 200);
  assert.deepEqual([one.log.length, other.log.length > 0], [0, true]);
});

test('an account that is added can log in, and one that is taken away no longer', async (t) => {
  const registry = await lab(t);
  const key = 'a key of 32 characters and some more';
  const secret = createSecret(randomBytes(2, 16));
  const mac = `hmac-sha256:${toHex(await macOfSecret(createMac(key), secret))}`;
  const headers = { authorization: `Basic ${Buffer.from(`alice:${secret}`).toString('base64')}` };
  const before = { ...served(registry, { login: 'account' }), access: 'login', key };
  const { reload, status, lines } = await start(t, before);
  assert.equal(await status(manifest, headers), 401);
  await reload({ ...before, accounts: { alice: { mac } } });
  assert.equal(await status(manifest, headers), 200);
  await reload(before);
  assert.equal(await status(manifest, headers), 401);
  assert.ok(!lines.join('').includes(mac.slice(12)), 'no value is told');
});
