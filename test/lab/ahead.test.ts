// What real clients set off: who inspects an image nothing, who pulls it its further layers, each of which still comes once.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image } from '../fakes/registry/content.ts';
import { tarLayer } from '../fakes/registry/tar.ts';
import { withContainerd } from './clients/containerd.ts';
import { buildah, podman, skopeo } from './clients/containers.ts';
import { docker } from './clients/docker.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { run } from './process.ts';
import { push } from './push.ts';
import { type Sampan, startSampan } from './sampan.ts';

const layers = Array.from({ length: 10 }, (_, at) => tarLayer({ [`opt/${at}`]: randomBytes(40 + at, 100_000) }));
const item = image({ layers });
const config = item.blobs[0]?.digest ?? '';
const name = 'library/ahead:latest';

describe('layers that come ahead', { skip: need(...parts) }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
    await push(lab.plain.url, 'library/ahead', item, 'latest');
  });
  after(() => lab?.close());

  /** With nothing in its store, and its CDN's log empty. `most`: `pull_ahead`. */
  async function using(most: number, use: (sampan: Sampan, directory: string) => Promise<void>): Promise<void> {
    const sampan = await startSampan(lab.directory, lab.registries, { pull_ahead: most });
    await lab.forget();
    try {
      await use(sampan, await mkdtemp(join(lab.directory, 'ahead-')));
    } finally {
      await sampan.stop();
    }
  }
  const address = (sampan: Sampan) => sampan.url.replace('http://', '');
  const fetchedAhead = async (sampan: Sampan) => {
    const answer = await fetch(`${sampan.url}/_sampan/status.json`);
    return ((await answer.json()) as { ahead: { fetched: number } }).ahead.fetched;
  };
  /** Digests of the blobs that the CDN sent, in order. */
  const sent = async () =>
    (await lab.cdn.accesses()).map(({ path }) => `sha256:${/[0-9a-f]{64}/.exec(path)?.[0] ?? path}`).toSorted();
  const all = [config, ...layers.map(({ digest }) => digest)].toSorted();

  test('are none for skopeo inspect, in either way', async () => {
    await using(16, async (sampan, directory) => {
      for (const flags of [[], ['--config'], ['--raw']]) {
        const source = `docker://${address(sampan)}/docker.io/${name}`;
        await run('skopeo', ['--insecure-policy', 'inspect', '--tls-verify=false', ...flags, source], { directory });
      }
      assert.equal(await fetchedAhead(sampan), 0);
      assert.deepEqual(await sent(), [config]);
    });
  });

  for (const client of [docker, podman, buildah, skopeo]) {
    test(`come for ${client.name}, and none twice`, { skip: need(...client.needs) }, async () => {
      await using(16, async (sampan, directory) => {
        const mirror = { address: address(sampan), prefix: 'docker.io/' };
        const { digests } = await client.pull(name, mirror, directory);
        assert.ok(digests.includes(item.digest));
        assert.deepEqual(await sent(), all);
        assert.ok((await fetchedAhead(sampan)) > 0);
      });
    });
  }

  test('come for a containerd that fetches one at a time', { skip: need('containerd', 'ctr') }, async () => {
    await using(3, (sampan, directory) =>
      withContainerd(directory, async (socket) => {
        const hosts = join(directory, 'hosts');
        await mkdir(join(hosts, 'docker.io'), { recursive: true });
        const toml = `[host."${sampan.url}"]\n  capabilities = ["pull", "resolve"]\n`;
        await writeFile(join(hosts, 'docker.io', 'hosts.toml'), toml);
        const flags = ['--hosts-dir', hosts, '--snapshotter', 'native', '--max-concurrent-downloads', '1'];
        await run('ctr', ['--address', socket, 'images', 'pull', ...flags, `docker.io/${name}`], { directory });
        assert.deepEqual(await sent(), all);
        assert.ok((await fetchedAhead(sampan)) > 0);
      }),
    );
  });

  test('come although the client stops after the first', async () => {
    await using(3, async (sampan) => {
      const repository = `${sampan.url}/v2/library/ahead`;
      for (const path of ['manifests/latest', `blobs/${layers[0]?.digest}`]) {
        await (await fetch(`${repository}/${path}?ns=docker.io`)).bytes();
      }
      const others = all.filter((digest) => digest !== config);
      for (let round = 0; round < 500 && (await sent()).length < others.length; round += 1) await delay(10);
      assert.deepEqual(await sent(), others);
    });
  });
});
