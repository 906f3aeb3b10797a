// A link whose connections break again and again: the pull succeeds, and little is fetched twice.
import { generated } from '../../test/fakes/registry/bytes.ts';
import { image, type Item, layerOf } from '../../test/fakes/registry/content.ts';
import type { Bench, Scenario } from '../bench.ts';
import { costs, failures, type Figure, figureOf } from '../figures.ts';
import type { Shape } from '../link/shape.ts';
import { alternate, timed } from '../rounds.ts';

const link: Shape = { roundTrip: 20, all: 20e6, resetEvery: 6e6 };
/** As often as dockerd asks for a layer. It waits in between, this client does not. */
const patience = 5;

interface Pull {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly size: number;
  readonly link: Shape;
  /** How often the client asks for a layer, if it has to. */
  readonly attempts: number;
  readonly rounds: number;
  readonly peerRounds: number;
}

export const resets: Scenario = async (bench) => {
  const { quick } = bench;
  const size = quick ? 4e6 : 10e6;
  const image6 = { seeds: [41, 42, 43, 44, 45, 46], size, link };
  const name = `resets every 6 MB, 6 × ${size / 1e6} MB`;
  const big = quick ? 24e6 : 60e6;
  const pulls: readonly Pull[] = [
    { ...image6, name: `${name}, asked once`, attempts: 1, rounds: quick ? 2 : 20, peerRounds: quick ? 1 : 2 },
    { ...image6, name: `${name}, asked ${patience} times`, attempts: patience, rounds: quick ? 1 : 3, peerRounds: 1 },
    {
      // Large enough, on connections slow enough, that several are worth having: each of them breaks.
      name: `resets every 6 MB, 1 × ${big / 1e6} MB over slow connections`,
      seeds: [47],
      size: big,
      link: { ...link, each: 5e6 },
      attempts: 1,
      rounds: quick ? 1 : 6,
      peerRounds: 0,
    },
  ];
  const figures: Figure[] = [];
  for (const [index, pull] of pulls.entries()) {
    const item = image({ layers: pull.seeds.map((seed) => layerOf(generated(seed, pull.size))) });
    const repository = `library/resets-${index}`;
    await bench.hold(repository, item);
    figures.push(...(await measure(bench, pull, repository, item)));
  }
  return figures;
};

async function measure(bench: Bench, pull: Pull, repository: string, item: Item): Promise<readonly Figure[]> {
  const bytes = item.blobs.reduce((sum, blob) => sum + blob.bytes.size, item.body.length);
  const samples = await alternate(bench, {
    ...pull,
    kinds: bench.kinds.filter(({ peer }) => !peer || pull.peerRounds > 0),
    // Who succeeds takes three to four; who has not by then hangs.
    seconds: 15,
    async measure(trial) {
      const done = await timed(() => trial.client(repository).image(item, pull.attempts));
      const counts = await trial.link.counts();
      return { done, again: (counts.bytes / bytes - 1) * 100, most: counts.most, resets: counts.resets };
    },
  });
  const at = (what: string) => `${pull.name}: ${what}`;
  const against = 'direct';
  return [
    failures(samples, { name: at('pulls that fail'), unit: '%', against, goal: { of: 'value', most: 0 } }),
    figureOf(samples, 'done', { name: at('those that succeed'), unit: 's', against }),
    // Of the pulls that succeed.
    figureOf(samples, 'again', { name: at('fetched again'), unit: '%', against, goal: { of: 'value', most: 3 } }),
    figureOf(samples, 'most', { name: at('connections at once, at most'), unit: '', against }),
    figureOf(samples, 'resets', { name: at('connections that broke'), unit: '', against }),
    ...costs(samples, pull.name),
  ];
}
