// SIGHUP to `sampan serve`: the file is read anew, and a pull that runs meanwhile does not notice.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { startRegistry } from '../../fakes/registry/registry.ts';
import { type Sampan, startSampan, type Upstreams } from '../../lab/sampan.ts';

const bytes = randomBytes(3, 5_000_000);
const layer = layerOf(bytes);

async function prepare(t: TestContext, more: Readonly<Record<string, unknown>> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-hangup-'));
  const registry = await startRegistry();
  registry.hold('app', image({ layers: [layer] }), '1');
  const upstreams: Upstreams = { 'lab.example': { endpoints: [registry.url] } };
  const sampan = await startSampan(directory, upstreams, more);
  t.after(async () => {
    await sampan.stop();
    await registry.down();
    await rm(directory, { recursive: true, force: true });
  });
  return { sampan, registry, upstreams };
}

/** Until the log says so. */
async function hangUp(sampan: Sampan, says: string): Promise<void> {
  const told = () => sampan.output.split(says).length;
  const before = told();
  process.kill(sampan.pid, 'SIGHUP');
  while (told() === before) await setTimeout(5);
}

test('a pull across a SIGHUP that takes its registry away is whole, byte for byte', async (t) => {
  const { sampan, registry, upstreams } = await prepare(t);
  const at = (path: string) => `${sampan.url}/v2/lab.example/app/${path}`;
  const gate = new Gate();
  registry.levers.stall = { after: 2_000_000, gate };
  assert.equal((await fetch(at('manifests/1'))).status, 200);
  const running = await fetch(at(`blobs/${layer.digest}`));
  await gate.reached();
  await sampan.configure({ 'other.example': { endpoints: [registry.url] } }, { storage: { limit: '1GB' } });
  await hangUp(sampan, 'changed storage.limit, registries.lab.example, registries.other.example');
  assert.equal((await fetch(at('manifests/1'))).status, 404);
  await sampan.configure(upstreams);
  await hangUp(sampan, 'read the configuration anew');
  gate.open();
  assert.ok(bytes.equals(await buffer(running.body!)));
  assert.equal((await fetch(at('manifests/1'))).status, 200);
});

test('a file that is wrong is refused with its line, and nothing changes', async (t) => {
  const { sampan, upstreams } = await prepare(t);
  await sampan.configure(upstreams, { storag: {} });
  await hangUp(sampan, 'everything stays as it was: the configuration has an error');
  assert.match(sampan.output, /sampan-\d+\.yaml:1: storag: found an unknown key; did you mean storage\?/);
  const answer = await fetch(`${sampan.url}/v2/lab.example/app/manifests/1`);
  assert.equal(answer.status, 200);
});
