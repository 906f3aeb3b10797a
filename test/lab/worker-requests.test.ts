// How many requests of the Worker a pull of an image with eight layers is, with each client: as docs/worker.md tells.
import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { image, index } from '../fakes/registry/content.ts';
import { tarLayer } from '../fakes/registry/tar.ts';
import { type Edge, startEdge } from '../worker/edge.ts';
import { clients } from './clients/all.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { startNames } from './names.ts';
import { need } from './need.ts';
import { push } from './push.ts';

const guide = new URL('../../docs/worker.md', import.meta.url);

describe('a pull of eight layers through the Worker', { skip: need(...parts) }, () => {
  let lab: Lab;
  let edge: Edge;

  before(async () => {
    lab = await startLab();
    const layers = Array.from({ length: 8 }, (_, at) => tarLayer({ [`file-${at}`]: Buffer.from(`layer ${at}`) }));
    await push(lab.plain.url, 'library/eight', index([image({ layers })]), 'latest');
    const { registries } = lab;
    edge = await startEdge(JSON.parse(JSON.stringify({ access: 'open', catalogue: false, registries })));
  });
  after(async () => {
    await edge?.close();
    await lab?.close();
  });

  for (const client of clients) {
    test(`with ${client.name} is as many requests as the guide says`, { skip: need(...client.needs) }, async () => {
      const names = await startNames(edge.url.host);
      try {
        const mirror = { address: new URL(names.url).host, prefix: '' };
        await client.pull('library/eight:latest', mirror, await mkdtemp(join(lab.directory, 'eight-')));
        const [, told] =
          new RegExp(`^\\| [a-z, ]*\\b${client.name}\\b[a-z, ]* \\| (\\d+) `, 'm').exec(
            await readFile(guide, 'utf8'),
          ) ?? [];
        assert.equal(names.asked.length, Number(told));
      } finally {
        await names.close();
      }
    });
  }
});
