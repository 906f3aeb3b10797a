// Real clients pull real images through the Worker, in a workerd on loopback, whose docker.io is the lab's registry.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Edge, startEdge } from '../worker/edge.ts';
import { clients } from './clients/all.ts';
import { skopeo } from './clients/containers.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';

describe('a pull through the Worker', { skip: need(...parts) }, () => {
  let lab: Lab;
  let edge: Edge;

  before(async () => {
    lab = await startLab();
    const registries = Object.entries(lab.registries).map(([name, { endpoints, realms = [], redirects = [] }]) => [
      name,
      { endpoints: [...endpoints], realms: [...realms], redirects: [...redirects] },
    ]);
    edge = await startEdge({ access: 'open', catalogue: false, registries: Object.fromEntries(registries) });
  });
  after(async () => {
    await edge?.close();
    await lab?.close();
  });

  for (const client of clients) {
    const images = client === skopeo ? (['multi', 'docker', 'bare', 'sbom'] as const) : (['multi', 'docker'] as const);
    for (const image of images) {
      test(
        `with ${client.name}: ${image} gets the digest that the registry has`,
        { skip: need(...client.needs) },
        async () => {
          await lab.forget();
          const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
          const mirror = { address: edge.url.host, prefix: 'docker.io/' };
          const { digests } = await client.pull(`library/${image}:latest`, mirror, directory);
          assert.ok(digests.includes(lab.digests[image]));
          assert.notDeepEqual(await lab.cdn.accesses(), [], 'the layers did not come from the CDN of the lab');
        },
      );
    }
  }
});
