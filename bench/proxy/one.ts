// One tunnel alone, as wide as it goes.
import type { Scenario } from '../bench.ts';
import { figureOf } from '../figures.ts';
import { costOf } from '../parts/cost.ts';
import { timed } from '../rounds.ts';
import { alternateProxies } from './rounds.ts';
import { readThrough } from './tunnel.ts';

/** Of squid's throughput: so much at least. */
const least = 0.7;

export const one: Scenario = async (bench) => {
  const size = bench.quick ? 100e6 : 1e9;
  const samples = await alternateProxies(bench, {
    name: 'one tunnel',
    rounds: bench.quick ? 1 : 5,
    size,
    async measure(proxy) {
      const before = await costOf(proxy.pid);
      let bytes = 0;
      const seconds = await timed(async () => (bytes = await readThrough(proxy)));
      if (bytes !== size) throw new Error(`${bytes} bytes came of ${size}`);
      const { cpu = 0 } = await costOf(proxy.pid);
      return { seconds, cpu: cpu - (before.cpu ?? 0) };
    },
  });
  const name = `one tunnel of ${size / 1e6} MB`;
  const against = 'squid';
  return [
    figureOf(samples, 'seconds', { name, unit: 's', against, goal: { of: 'ratio', most: 1 / least } }),
    figureOf(samples, 'cpu', { name: `${name}: CPU`, unit: 's', against }),
  ];
};
