// Real clients pull real images through sampan, whose docker.io is the lab's registry: cold, then warm from disk.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bytesOf, digestOf } from '../fakes/registry/bytes.ts';
import { clients } from './clients/all.ts';
import type { Client, Pulled } from './clients/client.ts';
import { skopeo } from './clients/containers.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { type Sampan, startSampan } from './sampan.ts';

const images = [
  'library/multi:latest',
  'library/docker:latest',
  'library/bare:latest',
  'library/umoci:latest',
  'library/umoci:docker',
];

describe('a pull through sampan', { skip: need(...parts) }, () => {
  let lab: Lab;
  let digests: Map<string, string>;

  before(async () => {
    lab = await startLab();
    digests = new Map(
      await Promise.all(
        [...images, 'library/sbom:latest'].map(async (image) => [image, await digestUpstream(lab, image)] as const),
      ),
    );
  });
  after(() => lab?.close());

  for (const client of clients) {
    describe(`with ${client.name}`, { skip: need(...client.needs) }, () => {
      let sampan: Sampan;
      before(async () => {
        const registry = lab.registries['docker.io'];
        assert.ok(registry);
        sampan = await startSampan(lab.directory, { 'docker.io': { ...registry, fresh_for: '0s' } });
      });
      after(() => sampan?.stop());

      for (const image of client === skopeo ? [...images, 'library/sbom:latest'] : images) {
        test(`${image} gets the digest that the registry has, and when warm sends upstream at most one HEAD`, async () => {
          const digest = digests.get(image) ?? '';
          await lab.forget();
          assert.ok((await pull(lab, sampan, client, image)).digests.includes(digest));
          assert.notDeepEqual(await lab.upstream.accesses(), [], 'the first pull did not come from the lab');

          await lab.forget();
          assert.ok((await pull(lab, sampan, client, image)).digests.includes(digest));
          const asked = await lab.upstream.accesses();
          assert.ok(asked.length <= 1, JSON.stringify(asked));
          assert.ok(
            asked.every((each) => each.method === 'HEAD' && each.path.includes('/manifests/')),
            JSON.stringify(asked),
          );
          assert.deepEqual(await lab.cdn.accesses(), []);
        });
      }
    });

    test(
      `with ${client.name} sends nothing at all upstream while the tag is fresh`,
      { skip: need(...client.needs) },
      async () => {
        const sampan = await startSampan(lab.directory, lab.registries);
        try {
          const image = 'library/multi:latest';
          await pull(lab, sampan, client, image);
          await lab.forget();
          assert.ok((await pull(lab, sampan, client, image)).digests.includes(lab.digests.multi));
          assert.deepEqual(await lab.upstream.accesses(), []);
          assert.deepEqual(await lab.cdn.accesses(), []);
          assert.deepEqual(lab.tokens.log, []);
        } finally {
          await sampan.stop();
        }
      },
    );
  }
});

async function pull(lab: Lab, sampan: Sampan, client: Client, image: string): Promise<Pulled> {
  const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
  return client.pull(image, { address: sampan.url.replace('http://', ''), prefix: 'docker.io/' }, directory);
}

/** As the plain registry has it, asked without sampan. */
async function digestUpstream(lab: Lab, image: string): Promise<string> {
  const [name = '', tag = ''] = image.split(':');
  const accept = [
    'oci.image.index.v1',
    'oci.image.manifest.v1',
    'docker.distribution.manifest.list.v2',
    'docker.distribution.manifest.v2',
  ];
  const headers = { accept: accept.map((each) => `application/vnd.${each}+json`).join(', ') };
  const answer = await fetch(`${lab.plain.url}/v2/${name}/manifests/${tag}`, { headers });
  assert.equal(answer.status, 200);
  return digestOf(bytesOf(await answer.bytes()));
}
