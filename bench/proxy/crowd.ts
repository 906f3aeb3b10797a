// Two thousand tunnels at once, every tenth of which has a client that looks away all the time.
import type { Scenario } from '../bench.ts';
import { figureOf, median } from '../figures.ts';
import { costOf, residentOf } from '../parts/cost.ts';
import { alternateProxies } from './rounds.ts';
import { readThrough } from './tunnel.ts';

/** Milliseconds between two reads of a slow one. */
const rest = 500;

export const crowd: Scenario = async (bench) => {
  const tunnels = bench.quick ? 200 : 2000;
  const size = 1e6;
  const samples = await alternateProxies(bench, {
    name: 'crowd',
    rounds: bench.quick ? 1 : 3,
    size,
    async measure(proxy) {
      const before = await residentOf(proxy.pid);
      const begun = performance.now();
      const times: number[] = [];
      const all = Array.from({ length: tunnels }, async (_, index) => {
        const isSlow = index % 10 === 0;
        const bytes = await readThrough(proxy, isSlow ? rest : 0);
        if (bytes !== size) throw new Error(`${bytes} bytes came of ${size}`);
        if (!isSlow) times.push((performance.now() - begun) / 1000);
      });
      await Promise.all(all);
      const { cpu, memory = 0 } = await costOf(proxy.pid);
      return {
        slowest: Math.max(...times),
        median: median(times),
        peak: memory - before,
        after: (await residentOf(proxy.pid)) - before,
        cpu,
      };
    },
  });
  const name = `${tunnels} tunnels of ${size / 1e6} MB, every tenth slow`;
  const against = 'squid';
  return [
    figureOf(samples, 'median', { name: `${name}: half of the others are done`, unit: 's', against }),
    figureOf(samples, 'slowest', { name: `${name}: all others are done`, unit: 's', against }),
    figureOf(samples, 'peak', { name: `${name}: memory at its peak, above the start's`, unit: 'MB', against }),
    figureOf(samples, 'after', { name: `${name}: memory afterwards, above the start's`, unit: 'MB', against }),
    figureOf(samples, 'cpu', { name: `${name}: CPU`, unit: 's', against }),
  ];
};
