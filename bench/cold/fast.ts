// A fast link: sampan is in the way of a cold pull, and must not be felt.
import { generated } from '../../test/fakes/registry/bytes.ts';
import { image, layerOf } from '../../test/fakes/registry/content.ts';
import type { Scenario } from '../bench.ts';
import { costs, figureOf, median } from '../figures.ts';
import { alternate, timed } from '../rounds.ts';

export const fast: Scenario = async (bench) => {
  const size = bench.quick ? 20e6 : 100e6;
  const big = image({ layers: [1, 2, 3, 4, 5, 6].map((seed) => layerOf(generated(seed, size))) });
  const layers = [11, 12, 13, 14, 15, 16, 17, 18, 19].map((seed) => layerOf(generated(seed, 4e6)));
  const small = image({ layers });
  await bench.hold('library/big', big);
  await bench.hold('library/small', small);
  const samples = await alternate(bench, {
    name: 'fast',
    kinds: bench.kinds,
    link: { roundTrip: 5, all: 100e6 },
    rounds: bench.quick ? 1 : 5,
    peerRounds: 1,
    seconds: 60,
    async measure({ client }) {
      const firsts: number[] = [];
      const one = client('library/small');
      await one.manifest(small);
      for (const layer of layers) firsts.push(await one.blob(layer));
      const pull = await timed(() => client('library/big').image(big));
      return { first: median(firsts) ?? 0, pull };
    },
  });
  return [
    figureOf(samples, 'pull', {
      name: `fast link: cold image of 6 × ${size / 1e6} MB`,
      unit: 's',
      against: 'direct',
      goal: { of: 'ratio', most: 1.1 },
    }),
    figureOf(samples, 'first', {
      name: 'fast link: first byte of a cold layer',
      unit: 'ms',
      against: 'direct',
      goal: { of: 'difference', most: 10 },
    }),
    ...costs(samples, 'fast link: all of that'),
  ];
};
