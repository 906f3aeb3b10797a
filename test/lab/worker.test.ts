// Real clients pull real images through the Worker, in a workerd on loopback, whose docker.io is the lab's registry.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { waiting } from '../worker/behind.ts';
import { type Edge, type Lent, startEdge } from '../worker/edge.ts';
import { clients } from './clients/all.ts';
import type { Client } from './clients/client.ts';
import { skopeo } from './clients/containers.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';

describe('a pull through the Worker', { skip: need(...parts) }, () => {
  let lab: Lab;
  let cold: Edge;
  let warm: Edge;

  before(async () => {
    lab = await startLab();
    cold = await start({ cache: false });
    warm = await start({ around: waiting() });
  });
  after(async () => {
    await Promise.all([cold?.close(), warm?.close()]);
    await lab?.close();
  });

  function start(lent: Lent): Promise<Edge> {
    const settings = { access: 'open', catalogue: false, registries: lab.registries };
    return startEdge(JSON.parse(JSON.stringify(settings)), lent);
  }

  async function pull(client: Client, image: string, { url }: Edge): Promise<readonly string[]> {
    const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
    const mirror = { address: url.host, prefix: 'docker.io/' };
    return (await client.pull(`library/${image}:latest`, mirror, directory)).digests;
  }

  for (const client of clients) {
    const images = client === skopeo ? (['multi', 'docker', 'bare', 'sbom'] as const) : (['multi', 'docker'] as const);
    for (const image of images) {
      test(
        `with ${client.name}: ${image} gets the digest that the registry has`,
        { skip: need(...client.needs) },
        async () => {
          await lab.forget();
          assert.ok((await pull(client, image, cold)).includes(lab.digests[image]));
          assert.notDeepEqual(await lab.cdn.accesses(), [], 'the layers did not come from the CDN of the lab');
        },
      );
    }
  }

  describe('whose registry and CDN are down since somebody has pulled an image', () => {
    before(async () => {
      await pull(skopeo, 'multi', warm);
      await Promise.all([lab.upstream.stop(), lab.cdn.stop(), lab.tokens.close()]);
    });

    for (const client of clients) {
      test(`gives it to ${client.name}`, { skip: need(...client.needs) }, async () => {
        assert.ok((await pull(client, 'multi', warm)).includes(lab.digests.multi));
      });
    }
  });
});
