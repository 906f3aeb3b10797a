// sampan as a process that limits its clients: what each gets is a part of what another gets, whatever the machine is busy with.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, type Layer, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { tarLayer } from '../fakes/registry/tar.ts';
import { containerd } from './clients/containerd.ts';
import { need } from './need.ts';
import { startSampan } from './sampan.ts';

const size = 12_000_000;
const layer = layerOf(randomBytes(11, size));

interface Download {
  bytes: number;
  readonly response: http.IncomingMessage;
}

/** From an address of the loopback, each of which is a client of its own. */
async function download(t: TestContext, url: string, localAddress: string): Promise<Download> {
  const request = http.get(url, { localAddress, agent: false });
  t.after(() => request.destroy());
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  assert.equal(response.statusCode, 200);
  const got = { bytes: 0, response };
  response.on('data', (chunk: Buffer) => (got.bytes += chunk.length)).on('error', () => {});
  return got;
}

async function limited(t: TestContext, limits: object, layers: readonly Layer[]) {
  const registry = await startRegistry();
  const held = image({ layers });
  registry.hold('library/app', held, '1');
  const directory = await mkdtemp(join(tmpdir(), 'sampan-limits-'));
  const settings = { stop_within: '0s', limits: { ...limits, loopback: true } };
  const sampan = await startSampan(directory, { 'docker.io': { endpoints: [registry.url] } }, settings);
  t.after(async () => {
    await sampan.stop();
    await registry.down();
    await rm(directory, { recursive: true });
  });
  return { sampan, directory, held };
}

test('a client with three connections gets in all as much as one with a single one, and a third on each', async (t) => {
  const { sampan } = await limited(t, { bytes: '3MB/s' }, [layer]);
  const url = `${sampan.url}/v2/library/app/blobs/${layer.digest}`;
  const single = await download(t, url, '127.0.0.2');
  const three = await Promise.all([1, 2, 3].map(() => download(t, url, '127.0.0.3')));
  const before = single.bytes;
  while (single.bytes < before + size / 2) await once(single.response, 'data');
  const [one, many] = [single.bytes - before, three.reduce((sum, { bytes }) => sum + bytes, 0)];
  assert.ok(many / one > 0.7 && many / one < 1.5, `${many} to ${one}`);
  for (const { bytes } of three) assert.ok(bytes > many / 5 && bytes < many / 2, `${bytes} of ${many}`);
  const metrics = await (await fetch(`${sampan.url}/metrics`)).text();
  assert.match(metrics, /^sampan_limited_total\{by="bytes",outcome="waited"\} 4$/m);
});

for (const limits of [{ pulls: 2 }, { pulls: 1, bytes: '2MB/s' }]) {
  const skip = need('containerd', 'ctr');
  test(`containerd pulls an image of eight layers under ${JSON.stringify(limits)}`, { skip }, async (t) => {
    const layers = Array.from({ length: 8 }, (_, at) => tarLayer({ [`opt/${at}`]: randomBytes(at, 1_000_000) }));
    const { sampan, directory, held } = await limited(t, limits, layers);
    const mirror = { address: new URL(sampan.url).host, prefix: '' };
    const { digests } = await containerd.pull('library/app:1', mirror, directory);
    assert.deepEqual(digests, [held.digest]);
    const metrics = await (await fetch(`${sampan.url}/metrics`)).text();
    assert.match(metrics, /^sampan_limited_total\{by="pulls",outcome="waited"\} \d$/m);
  });
}
