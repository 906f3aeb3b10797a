// Many clients and one cold image: the upstream sends each blob once, and nobody who leaves takes it with him.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { skopeo } from './clients/containers.ts';
import { pullRaw } from './clients/raw.ts';
import { type Lab, parts, startLab, temporary } from './lab.ts';
import { need } from './need.ts';
import { Running } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';

describe('20 clients that pull one cold image at once', { skip: need(...parts) }, () => {
  let lab: Lab;
  let sampan: Sampan;
  before(async () => {
    lab = await startLab();
    sampan = await startSampan(lab.directory, lab.registries);
  });
  after(async () => {
    await sampan?.stop();
    await lab?.close();
  });

  test('make the upstream serve each blob exactly once', async () => {
    await lab.forget();
    const mirror = { address: sampan.url.replace('http://', ''), prefix: 'docker.io/' };
    const real = Array.from({ length: 4 }, async () =>
      skopeo.pull('library/multi:latest', mirror, await mkdtemp(join(lab.directory, 'skopeo-'))),
    );
    const raw = Array.from({ length: 16 }, () => pullRaw(sampan.url, 'library/multi', 'latest'));
    for (const { digests } of await Promise.all(real)) assert.deepEqual(digests, [lab.digests.multi]);
    const [first = [], ...others] = await Promise.all(raw);
    for (const other of others) assert.deepEqual(other, first);

    const blobs = (await lab.cdn.accesses()).filter((each) => each.method === 'GET').map((each) => each.path);
    // Two images: two configs and three layers.
    assert.equal(blobs.length, 5, blobs.join('\n'));
    assert.equal(new Set(blobs).size, 5);
    const manifests = (await lab.upstream.accesses()).filter(
      (each) => each.path.includes('/manifests/') && each.status === 200,
    );
    const got = manifests.filter((each) => each.method === 'GET').map((each) => each.path);
    assert.equal(got.length, 3, got.join('\n'));
  });
});

describe('a client that is gone half-way', () => {
  const layer = layerOf(randomBytes(1, 4_000_000));
  const item = image({ layers: [layer] });
  const half = layer.bytes.size / 2;
  const blob = `/v2/library/x/blobs/${layer.digest}`;
  let directory: string;
  let registry: FakeRegistry;
  let sampan: Sampan;
  let gate: Gate;

  before(async () => {
    directory = await temporary();
    registry = await startRegistry();
    registry.hold('library/x', item, 'latest');
  });
  after(async () => {
    await registry?.down();
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    gate = new Gate();
    registry.levers.stall = { after: half, gate, digest: layer.digest };
    registry.log.length = 0;
    sampan = await startSampan(directory, { 'docker.io': { endpoints: [registry.url] } });
  });
  afterEach(async () => {
    gate.open();
    await sampan?.stop();
  });
  /** Two turns of sampan's loop: it has seen whatever came before. */
  const noticed = async () => {
    for (let turn = 0; turn < 2; turn++) await (await fetch(`${sampan.url}/healthz`)).bytes();
  };
  const nextPullIsWarm = async () => {
    gate.open();
    assert.equal((await pullRaw(sampan.url, 'library/x', 'latest'))[0], item.digest);
    assert.equal(registry.asked(blob, 'GET').length, 1);
    await registry.down();
    assert.equal((await pullRaw(sampan.url, 'library/x', 'latest'))[0], item.digest);
    await registry.up();
  };

  test('does not stop the fill', async () => {
    await fetch(`${sampan.url}/v2/library/x/manifests/latest`).then((answer) => answer.bytes());
    const leaving = new AbortController();
    const answer = await fetch(sampan.url + blob, { signal: leaving.signal });
    const reader = answer.body?.getReader();
    assert.notEqual((await reader?.read())?.value?.length, 0);
    await gate.reached();
    leaving.abort();
    await noticed();
    await nextPullIsWarm();
  });

  test('does not stop it when it was skopeo, killed', { skip: need(...skopeo.needs) }, async () => {
    const source = `docker://${sampan.url.replace('http://', '')}/docker.io/library/x:latest`;
    const args = ['--insecure-policy', 'copy', '--src-tls-verify=false', source, `dir:${directory}/copy`];
    const client = new Running('skopeo', args, { directory });
    await gate.reached();
    await client.stop('SIGKILL');
    await noticed();
    await nextPullIsWarm();
  });
});
