// sampan as a process that limits its clients: what each gets is a part of what another gets, whatever the machine is busy with.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
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

test('a client with three connections gets in all as much as one with a single one, and a third on each', async (t) => {
  const registry = await startRegistry();
  registry.hold('library/app', image({ layers: [layer] }), '1');
  const directory = await mkdtemp(join(tmpdir(), 'sampan-limits-'));
  const sampan = await startSampan(
    directory,
    { 'docker.io': { endpoints: [registry.url] } },
    { stop_within: '0s', limits: { bytes: '3MB/s', loopback: true } },
  );
  t.after(async () => {
    await sampan.stop();
    await rm(directory, { recursive: true });
  });
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
