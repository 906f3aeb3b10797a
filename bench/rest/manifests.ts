// A manifest at rest, by its digest and by a tag, as often as 32 connections can ask for it.
import type { Scenario } from '../bench.ts';
import { figureOf } from '../figures.ts';
import { cache, files, registry, sampan } from './kinds.ts';
import { repository, takeTurns } from './rounds.ts';
import { bear, withoutWrk } from './wrk.ts';

const connections = 32;

export const manifests: Scenario = async (bench) => {
  if (withoutWrk !== undefined) {
    bench.say(`left out manifests: ${withoutWrk}`);
    return [];
  }
  const found = [];
  for (const [way, least] of [['digest', 20] as const, ['tag', 60] as const]) {
    const name = `manifest by ${way}, ${connections} connections`;
    const samples = await takeTurns(bench, {
      name,
      kinds: [sampan, cache, registry, files],
      rounds: bench.quick ? 1 : 5,
      measure: async ({ server, item }) => {
        const load = {
          url: `${server.url}/v2/${repository}/manifests/${way === 'digest' ? item.digest : 'latest'}`,
          connections,
          headers: { Accept: item.mediaType },
        };
        // Of a process that has waited for its turn the system may have taken pages back.
        await bear(bench.directory, { ...load, seconds: 1 });
        return { ...(await bear(bench.directory, { ...load, seconds: bench.quick ? 1 : 3 })) };
      },
    });
    found.push(
      figureOf(samples, 'requests', { name, unit: '1/s', against: 'registry', goal: { of: 'ratio', least } }),
      figureOf(samples, 'p99', {
        name: `${name}: 99 of 100 take`,
        unit: 'ms',
        against: 'registry',
        goal: { of: 'value', most: 5 },
      }),
      figureOf(samples, 'memory', { name: `${name}: peak memory`, unit: 'MB', against: 'registry' }),
    );
  }
  return found;
};
