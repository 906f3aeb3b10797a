// Two hundred clients at once, each of which reads all of a blob at rest: what the server takes for that, and whether it is fair.
import type { Scenario } from '../bench.ts';
import { figureOf, median } from '../figures.ts';
import { cache, files, sampan } from './kinds.ts';
import { read } from './read.ts';
import { takeTurns } from './rounds.ts';

const clients = 200;

export const memory: Scenario = async (bench) => {
  const samples = await takeTurns(bench, {
    name: 'memory',
    kinds: [sampan, cache, files],
    rounds: bench.quick ? 1 : 2,
    // 200 GiB each time.
    peerRounds: 1,
    async measure({ server, blob }) {
      const { bytes, seconds, each } = await read({ url: server.url + blob, clients, times: 1 });
      // All read the same number of bytes, so the slowest one's throughput is to the median's as the median's time is to its.
      return { rate: bytes / 1e6 / seconds, share: (median(each) ?? 0) / Math.max(...each) };
    },
  });
  const name = `${clients} clients, ${bench.quick ? '64 MiB' : '1 GiB'} each`;
  const against = 'registry';
  return [
    figureOf(samples, 'memory', {
      name: `${name}: peak memory`,
      unit: 'MB',
      against,
      goal: { of: 'value', most: 250 },
    }),
    figureOf(samples, 'share', {
      name: `${name}: throughput of the slowest`,
      unit: "× the median's",
      against,
      goal: { of: 'value', least: 0.5 },
    }),
    figureOf(samples, 'rate', { name: `${name}: all together`, unit: 'MB/s', against }),
    figureOf(samples, 'cpu', { name: `${name}: CPU`, unit: 's', against }),
  ];
};
