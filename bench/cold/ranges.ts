// A small part, far into a blob that is not here yet: it need not wait for what lies before it.
import { generated } from '../../test/fakes/registry/bytes.ts';
import { image, type Item, layerOf } from '../../test/fakes/registry/content.ts';
import type { Bench, Scenario } from '../bench.ts';
import { type Figure, figureOf } from '../figures.ts';
import type { Client } from '../parts/client.ts';
import { alternate, timed } from '../rounds.ts';

const part = 64 * 1024;

export const ranges: Scenario = async (bench) => {
  const size = bench.quick ? 50e6 : 500e6;
  const layer = layerOf(generated(61, size));
  const item = image({ layers: [layer] });
  await bench.hold('library/ranges', item);
  const at = 0.9 * size;
  const of = `of a cold blob of ${size / 1e6} MB`;
  return [
    await oneRange(bench, item, `64 KiB at 90 % ${of}`, (client) => client.range(layer, at, at + part - 1)),
    await oneRange(bench, item, `the last 64 KiB ${of}`, (client) => client.range(layer, -part)),
  ];
};

async function oneRange(
  bench: Bench,
  item: Item,
  name: string,
  range: (client: Client) => Promise<void>,
): Promise<Figure> {
  const samples = await alternate(bench, {
    name: 'ranges',
    kinds: bench.kinds,
    link: { roundTrip: 20, all: 20e6 },
    rounds: bench.quick ? 1 : 3,
    peerRounds: 1,
    // What is to be answered in one; who has not after ten waits for all that lies before.
    seconds: 10,
    async measure({ client }) {
      const one = client('library/ranges');
      await one.manifest(item);
      return { range: await timed(() => range(one)) };
    },
  });
  return figureOf(samples, 'range', { name, unit: 's', against: 'direct', goal: { of: 'value', most: 1 } });
}
