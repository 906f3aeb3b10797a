// A link on which one connection is slow and several are not: one big layer, and an image with a real daemon.
import assert from 'node:assert/strict';
import { generated, randomBytes } from '../../test/fakes/registry/bytes.ts';
import { image, layerOf } from '../../test/fakes/registry/content.ts';
import { tarLayer } from '../../test/fakes/registry/tar.ts';
import { docker, withDocker } from '../../test/lab/clients/docker.ts';
import { need } from '../../test/lab/need.ts';
import type { Bench, Scenario } from '../bench.ts';
import { costs, figureOf, type Figure } from '../figures.ts';
import { alternate, timed } from '../rounds.ts';

const link = { roundTrip: 200, each: 3e6, all: 12e6 };

export const slow: Scenario = async (bench) => {
  const layer = await oneLayer(bench);
  const missing = need(...docker.needs);
  if (missing === false) return [...layer, ...(await withDaemon(bench))];
  bench.say(`slow: left out dockerd: ${missing}`);
  return layer;
};

async function oneLayer(bench: Bench): Promise<readonly Figure[]> {
  const size = bench.quick ? 9e6 : 64e6;
  const layer = layerOf(generated(21, size));
  const item = image({ layers: [layer] });
  await bench.hold('library/layer', item);
  const samples = await alternate(bench, {
    name: 'slow',
    kinds: bench.kinds,
    link,
    rounds: bench.quick ? 1 : 2,
    peerRounds: 1,
    seconds: 60,
    async measure({ client }) {
      const one = client('library/layer');
      await one.manifest(item);
      return { layer: await timed(() => one.blob(layer)) };
    },
  });
  const name = `slow connections: one cold layer of ${size / 1e6} MB`;
  return [
    figureOf(samples, 'layer', { name, unit: 's', against: 'direct', goal: { of: 'ratio', most: 0.35 } }),
    ...costs(samples, name),
  ];
}

async function withDaemon(bench: Bench): Promise<readonly Figure[]> {
  const size = bench.quick ? 3e6 : 16e6;
  const seeds = [31, 32, 33, 34, 35, 36];
  const item = image({ layers: seeds.map((seed) => tarLayer({ [`opt/${seed}.bin`]: randomBytes(seed, size) })) });
  await bench.hold('library/daemon', item);
  const samples = await alternate(bench, {
    name: 'dockerd',
    kinds: bench.kinds.filter(({ peer }) => !peer),
    link,
    rounds: bench.quick ? 1 : 3,
    peerRounds: 0,
    seconds: 60,
    measure: ({ server, directory }) =>
      withDocker({ address: new URL(server.url).host, prefix: '' }, directory, async (pull) => ({
        pull: await timed(async () => assert.ok((await pull('library/daemon:latest')).digests.includes(item.digest))),
      })),
  });
  const name = `slow connections: dockerd, cold image of 6 × ${size / 1e6} MB`;
  return [
    figureOf(samples, 'pull', { name, unit: 's', against: 'direct', goal: { of: 'ratio', most: 0.9 } }),
    ...costs(samples, name),
  ];
}
