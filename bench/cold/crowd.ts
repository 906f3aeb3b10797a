// Many clients want one cold blob at once: the upstream sends it once, and the server stays small.
import { generated } from '../../test/fakes/registry/bytes.ts';
import { image, layerOf } from '../../test/fakes/registry/content.ts';
import type { Scenario } from '../bench.ts';
import { figureOf } from '../figures.ts';
import { alternate, timed } from '../rounds.ts';

const clients = 50;

export const crowd: Scenario = async (bench) => {
  const size = bench.quick ? 10e6 : 200e6;
  const layer = layerOf(generated(51, size));
  const item = image({ layers: [layer] });
  await bench.hold('library/crowd', item);
  const samples = await alternate(bench, {
    name: 'crowd',
    kinds: bench.kinds.filter(({ name }) => name !== 'direct'),
    link: { roundTrip: 5, all: 100e6 },
    rounds: bench.quick ? 1 : 2,
    peerRounds: 1,
    seconds: 180,
    async measure({ client, link }) {
      const all = Array.from({ length: clients }, () => client('library/crowd'));
      await all[0]?.manifest(item);
      const before = await link.counts();
      const done = await timed(() => Promise.all(all.map((one) => one.blob(layer))));
      const { bytes } = await link.counts();
      return { done, upstream: (bytes - before.bytes) / size };
    },
  });
  const name = `${clients} clients, one cold blob of ${size / 1e6} MB`;
  const against = 'registry';
  return [
    // What is above one is the answers' heads.
    figureOf(samples, 'upstream', {
      name: `${name}: sent by the upstream`,
      unit: '× its bytes',
      against,
      goal: { of: 'value', most: 1.004 },
    }),
    figureOf(samples, 'memory', {
      name: `${name}: peak memory`,
      unit: 'MB',
      against,
      goal: { of: 'value', most: 250 },
    }),
    figureOf(samples, 'done', { name: `${name}: all have it`, unit: 's', against }),
    figureOf(samples, 'cpu', { name: `${name}: CPU`, unit: 's', against }),
  ];
};
