// A blob at rest, read by one client and by 32.
import type { Scenario } from '../bench.ts';
import { cache, files, registry, sampan } from './kinds.ts';
import { throughput } from './throughput.ts';

export const warm: Scenario = async (bench) => {
  const rounds = bench.quick ? 1 : 5;
  const found = [];
  for (const clients of [1, 32]) {
    const figures = await throughput(bench, {
      name: `warm blob of ${bench.quick ? '64 MiB' : '1 GiB'}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
      kinds: [sampan, cache, registry, files],
      clients,
      // In all about 8 GiB, so that the kernel's counting of processor time by hundredths is fine enough.
      times: clients === 1 ? 8 : 1,
      rounds,
      rate: {
        against: 'registry',
        goal: { of: 'ratio', least: 1.5 },
        also: { against: 'nginx', goal: { of: 'ratio', least: 1 } },
      },
      cpu: { against: 'registry', goal: { of: 'ratio', most: 0.6 } },
    });
    found.push(...figures);
  }
  return found;
};
