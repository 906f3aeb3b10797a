// A link whose connections break again and again: the pull succeeds, and little is fetched twice.
import { generated } from '../../test/fakes/registry/bytes.ts';
import { image, layerOf } from '../../test/fakes/registry/content.ts';
import type { Scenario } from '../bench.ts';
import { failures, type Figure, figureOf } from '../figures.ts';
import { alternate, timed } from '../rounds.ts';

/** As often as dockerd asks for a layer. It waits in between, this client does not. */
const patience = 5;

export const resets: Scenario = async (bench) => {
  const size = bench.quick ? 4e6 : 10e6;
  const item = image({ layers: [41, 42, 43, 44, 45, 46].map((seed) => layerOf(generated(seed, size))) });
  await bench.hold('library/resets', item);
  const bytes = item.blobs.reduce((sum, blob) => sum + blob.bytes.size, item.body.length);
  const of = `resets every 6 MB, 6 × ${size / 1e6} MB`;
  const pull = async (attempts: number, rounds: number, client: string): Promise<readonly Figure[]> => {
    const samples = await alternate(bench, {
      name: `resets, ${client}`,
      kinds: bench.kinds,
      link: { roundTrip: 20, all: 20e6, resetEvery: 6e6 },
      rounds,
      seconds: 60,
      async measure(trial) {
        const done = await timed(() => trial.client('library/resets').image(item, attempts));
        const counts = await trial.link.counts();
        return { done, again: (counts.bytes / bytes - 1) * 100 };
      },
    });
    const at = (what: string) => `${of}, ${client}: ${what}`;
    const against = 'direct';
    return [
      failures(samples, { name: at('pulls that fail'), unit: '%', against, goal: { of: 'value', most: 0 } }),
      figureOf(samples, 'done', { name: at('those that succeed'), unit: 's', against }),
      // Of the pulls that succeed.
      figureOf(samples, 'again', { name: at('fetched again'), unit: '%', against, goal: { of: 'value', most: 3 } }),
    ];
  };
  const once = await pull(1, bench.quick ? 2 : 20, 'asked once');
  return [...once, ...(await pull(patience, bench.quick ? 2 : 5, `asked ${patience} times`))];
};
