// Knowing a digest is no permission: a manifest that names what its repository does not hold opens nothing.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { artifact, image, index, layerOf } from '../fakes/registry/content.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { pullRaw } from './clients/raw.ts';
import { temporary } from './lab.ts';
import { type Sampan, startSampan } from './sampan.ts';

const layer = layerOf(randomBytes(1, 100_000));
const theirs = image({ layers: [layer] });
const forgeries = ['layer', 'index', 'subject'];
const config = theirs.blobs[0]?.digest ?? '';

describe('a manifest in another repository', () => {
  let directory: string;
  let registry: FakeRegistry;
  let sampan: Sampan;
  const status = async (path: string, method = 'GET') => {
    const answer = await fetch(`${sampan.url}/v2/${path}`, { method });
    await answer.bytes();
    return answer.status;
  };

  before(async () => {
    directory = await temporary();
    registry = await startRegistry();
    registry.levers.token = {};
    registry.hold('victim/image', theirs, 'latest');
    // Taken as a registry takes foreign layers, sparse indexes and subjects: without what they name.
    const listing = image({ layers: [layer], platform: { os: 'linux', architecture: 'arm64' } });
    registry.hold('mallory/layer', { ...listing, blobs: [] }, 'latest');
    registry.hold('mallory/index', { ...index([theirs]), children: [] }, 'latest');
    registry.hold('mallory/subject', artifact({ subject: theirs }), 'latest');
    sampan = await startSampan(directory, { 'docker.io': { endpoints: [registry.url] } });
    await pullRaw(sampan.url, 'victim/image', 'latest');
    for (const name of forgeries) assert.equal(await status(`mallory/${name}/manifests/latest`), 200);
  });
  after(async () => {
    await sampan?.stop();
    await registry?.down();
    await rm(directory, { recursive: true, force: true });
  });

  for (const method of ['GET', 'HEAD']) {
    test(`does not make a layer that it lists readable there (${method})`, async () => {
      assert.equal(await status(`mallory/layer/blobs/${layer.digest}`, method), 404);
      assert.equal(await status(`mallory/layer/blobs/${config}`, method), 404);
    });

    test(`does not make a child of its index readable there, nor the child's blobs (${method})`, async () => {
      assert.equal(await status(`mallory/index/manifests/${theirs.digest}`, method), 404);
      assert.equal(await status(`mallory/index/blobs/${layer.digest}`, method), 404);
    });

    test(`does not make its subject readable there (${method})`, async () => {
      assert.equal(await status(`mallory/subject/manifests/${theirs.digest}`, method), 404);
      assert.equal(await status(`mallory/subject/blobs/${layer.digest}`, method), 404);
    });
  }

  test('gives no range of it, and nothing under any other URL layout', async () => {
    const path = `mallory/layer/blobs/${layer.digest}`;
    const answer = await fetch(`${sampan.url}/v2/${path}`, { headers: { range: 'bytes=0-9' } });
    assert.equal(answer.status, 404);
    await answer.bytes();
    for (const layout of [`/v2/docker.io/${path}`, `/docker.io/v2/${path}`, `/v2/${path}?ns=docker.io`]) {
      const other = await fetch(sampan.url + layout);
      assert.equal(other.status, 404, layout);
      await other.bytes();
    }
  });

  test('gives nothing while the upstream is down', async () => {
    await registry.down();
    try {
      assert.equal(await status(`victim/image/blobs/${layer.digest}`), 200);
      for (const name of forgeries) {
        assert.notEqual(await status(`mallory/${name}/blobs/${layer.digest}`), 200);
        assert.notEqual(await status(`mallory/${name}/manifests/${theirs.digest}`), 200);
      }
    } finally {
      await registry.up();
    }
  });

  test('and its own repository goes on serving it', async () => {
    assert.equal((await pullRaw(sampan.url, 'victim/image', 'latest'))[0], theirs.digest);
  });
});
