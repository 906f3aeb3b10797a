// From the start of the process to its first answer, with a data directory that has been used before.
import type { Scenario } from '../bench.ts';
import { type Figure, figureOf } from '../figures.ts';
import { inTurn, timed } from '../rounds.ts';
import type { Sample } from '../samples.ts';
import { cache, files, type Ground, type Resting, type RestingKind, sampan } from './kinds.ts';
import { groundOf, heldItem, present, repository } from './rounds.ts';

/** Node keeps what it has compiled; without that it is as on the first start. */
const first: RestingKind = {
  ...sampan,
  name: 'sampan, first',
  start: (ground) => sampan.start({ ...ground, env: { NODE_DISABLE_COMPILE_CACHE: '1' } }),
};

export const start: Scenario = async (bench): Promise<readonly Figure[]> => {
  const item = heldItem(bench);
  await bench.hold(repository, item);
  const kinds = present(bench, [sampan, first, cache, files]);
  const samples = new Map(kinds.map(({ name }): [string, Sample<'seconds'>[]] => [name, []]));
  // What is made once was made then, and read from the disk.
  for (const kind of kinds) await startOf(kind, await groundOf(bench, item, kind));
  const rounds = bench.quick ? 1 : 7;
  for (let round = 1; round <= rounds; round++) {
    for (const kind of inTurn(kinds, round)) {
      const sample = { seconds: await startOf(kind, await groundOf(bench, item, kind)) };
      samples.get(kind.name)?.push(sample);
      bench.say(`start, round ${round} of ${rounds}, ${kind.name}: ${JSON.stringify(sample)}`);
    }
  }
  const name = 'from the start of the process to its first answer';
  return [figureOf(samples, 'seconds', { name, unit: 's', against: 'registry', goal: { of: 'value', most: 0.5 } })];
};

async function startOf(kind: RestingKind, ground: Ground): Promise<number> {
  let server: Resting | undefined;
  const seconds = await timed(async () => {
    server = await kind.start(ground);
    await (await fetch(`${server.url}/v2/`)).bytes();
  });
  await server?.stop();
  return seconds;
}
