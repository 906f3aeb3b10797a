// A blob at rest, read by one client and by 32.
import type { Scenario } from '../bench.ts';
import { cache, files, registry, sampan } from './kinds.ts';
import { throughput } from './throughput.ts';

export const warm: Scenario = async (bench) => {
  const found = [];
  for (const clients of [1, 32]) {
    const figures = await throughput(bench, {
      name: `warm blob of ${bench.quick ? '64 MiB' : '1 GiB'}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
      kinds: [sampan, cache, registry, files],
      clients,
      // One second's worth would be little to count processor time by: the kernel does so by hundredths.
      times: clients === 1 ? 8 : 1,
      rounds: bench.quick ? 1 : clients === 1 ? 5 : 3,
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
