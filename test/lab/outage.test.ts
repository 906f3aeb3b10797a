// The upstream is gone: what was pulled before can be pulled again, by tag, and what is not whole is not begun.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clients } from './clients/all.ts';
import { pullRaw } from './clients/raw.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { type Sampan, startSampan } from './sampan.ts';

const repositories = ['library/multi', 'library/docker', 'library/bare', 'library/sbom', 'library/umoci'];

describe('with the upstream down', { skip: need(...parts) }, () => {
  let lab: Lab;
  let sampan: Sampan;
  const pulled = new Map<string, string[]>();

  before(async () => {
    lab = await startLab();
    const registry = lab.registries['docker.io'];
    assert.ok(registry);
    sampan = await startSampan(lab.directory, { 'docker.io': { ...registry, fresh_for: '0s' } });
    for (const repository of repositories) pulled.set(repository, await pullRaw(sampan.url, repository, 'latest'));
    await lab.upstream.stop();
    await lab.cdn.stop();
    await lab.tokens.close();
  });
  after(async () => {
    await sampan?.stop();
    await lab?.close();
  });

  const servesWhatItHas = async () => {
    for (const repository of repositories) {
      assert.deepEqual(await pullRaw(sampan.url, repository, 'latest'), pulled.get(repository));
    }
  };

  test('all that was pulled before can be pulled again by tag', servesWhatItHas);

  test('a stale answer says so', async () => {
    const answer = await fetch(`${sampan.url}/v2/library/multi/manifests/latest`);
    assert.match(answer.headers.get('warning') ?? '', /^299 - "/);
    assert.match(answer.headers.get('cache-status') ?? '', /^sampan; hit; detail=stale/);
  });

  for (const client of clients) {
    test(`${client.name} pulls by tag`, { skip: need(...client.needs) }, async () => {
      const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
      const mirror = { address: sampan.url.replace('http://', ''), prefix: 'docker.io/' };
      const { digests } = await client.pull('library/multi:latest', mirror, directory);
      assert.ok(digests.includes(lab.digests.multi));
    });
  }

  test('what was never pulled is not found to be missing, but unavailable', async () => {
    const answer = await fetch(`${sampan.url}/v2/library/never/manifests/latest`);
    assert.equal(answer.status, 503);
    await answer.bytes();
  });

  test('sampan starts, and serves what it has', async () => {
    await sampan.restart();
    await servesWhatItHas();
  });

  for (const repository of ['library/umoci', 'library/multi']) {
    test(`${repository} without one of its layers is refused at the manifest with 503`, async () => {
      const layer = pulled.get(repository)?.at(-1) ?? '';
      await sampan.stop();
      await remove(sampan.data, layer);
      await sampan.start();
      await assert.rejects(pullRaw(sampan.url, repository, 'latest'), { path: /\/manifests\//, status: 503 });
    });
  }
});

/** Deletes the blob's file, wherever the store keeps it. */
async function remove(data: string, digest: string): Promise<void> {
  const hex = digest.slice('sha256:'.length);
  const files = await readdir(data, { recursive: true, withFileTypes: true });
  const found = files.filter((file) => file.isFile() && join(file.parentPath, file.name).includes(hex));
  assert.equal(found.length, 1, `${digest} is not in the store`);
  for (const file of found) await rm(join(file.parentPath, file.name));
}
