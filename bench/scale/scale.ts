// What a store costs that has grown for years, beside one that has just begun: starting, looking up, using, evicting, counting.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Scenario } from '../bench.ts';
import { type Figure, figureOf } from '../figures.ts';
import { withoutWrk } from '../rest/wrk.ts';
import type { Sample } from '../samples.ts';
import { type Stock, stock } from './stock.ts';
import { Stocked } from './stocked.ts';

type Key = 'start' | 'requests' | 'p99' | 'evict' | 'evictPause' | 'crashed' | 'count' | 'countPause' | 'memory';

interface Store extends Stock {
  readonly name: string;
  /** So many at once, in each round. */
  readonly evicted: number;
}

const small: Store = { name: '1,000 blobs', blobs: 1000, tags: 200, evicted: 100 };

export const scale: Scenario = async (bench) => {
  if (withoutWrk !== undefined) {
    bench.say(`left out scale: ${withoutWrk}`);
    return [];
  }
  const large: Store = bench.quick
    ? { name: 'sampan', blobs: 20_000, tags: 4000, evicted: 2000 }
    : { name: 'sampan', blobs: 1_000_000, tags: 200_000, evicted: 10_000 };
  const samples = new Map<string, readonly Sample<Key>[]>();
  for (const store of [large, small]) samples.set(store.name, await measured(bench, store));
  return figuresOf(samples, large);
};

async function measured(bench: Bench, store: Store): Promise<readonly Sample<Key>[]> {
  const { blobs, evicted, name } = store;
  const directory = join(bench.directory, 'scale');
  await mkdir(directory);
  bench.say(`scale, ${name}: making ${blobs} blobs`);
  await stock(join(directory, 'data'), store);
  const samples: Sample<Key>[] = [];
  const stocked = await Stocked.before(directory, bench.origin, blobs);
  const nothing = { crashed: undefined, count: undefined, countPause: undefined };
  try {
    // First, while nothing was evicted: it tells by the number of blobs that it is done.
    await stocked.start();
    const { start: crashed, count } = await stocked.crash();
    const countPause = await stocked.longestPause();
    const memory = await stocked.memory();
    await stocked.stop();
    const last = { start: undefined, requests: undefined, p99: undefined, evict: undefined, evictPause: undefined };
    samples.push({ ...last, crashed, count, countPause, memory });
    bench.say(`scale, ${name}, after a crash: ${JSON.stringify(samples.at(-1))}`);
    const rounds = bench.quick ? 1 : 3;
    for (let round = 1; round <= rounds; round++) {
      const start = await stocked.start();
      const { requests, p99 } = await stocked.scattered(bench.quick ? 2 : 4);
      const evict = await stocked.evict(evicted);
      const evictPause = await stocked.longestPause();
      samples.push({ ...nothing, start, requests, p99, evict, evictPause, memory: await stocked.memory() });
      await stocked.stop();
      bench.say(`scale, ${name}, round ${round} of ${rounds}: ${JSON.stringify(samples.at(-1))}`);
    }
  } catch (error) {
    samples.push({ failed: error instanceof Error ? error.message : String(error) });
  } finally {
    await stocked.stop();
    await rm(directory, { recursive: true });
  }
  return samples;
}

const value = (most: number) => ({ of: 'value', most }) as const;

function figuresOf(samples: ReadonlyMap<string, readonly Sample<Key>[]>, { blobs, evicted }: Store): readonly Figure[] {
  const against = small.name;
  const name = `${blobs.toLocaleString('en')} blobs`;
  const figure = (key: Key, what: string, unit: string, goal?: Figure['goal']) =>
    figureOf(samples, key, { name: `${name}: ${what}`, unit, against, ...(goal && { goal }) });
  return [
    figure('start', 'start', 's', value(1)),
    figure('crashed', 'start after a crash', 's', value(1)),
    figure('count', 'counted after that', 's'),
    figure('countPause', 'longest pause while counting', 'ms', value(20)),
    figure('requests', 'a byte of any blob', '1/s', { of: 'ratio', least: 0.5 }),
    figure('p99', 'a byte of any blob: 99 of 100 take', 'ms'),
    figure('evict', `${evicted.toLocaleString('en')} evicted (of the small, ${small.evicted})`, 's'),
    figure('evictPause', 'longest pause while evicting', 'ms', value(20)),
    figure('memory', 'peak memory', 'MB', value(300)),
  ];
}
