// Runs scenarios one after the other, with an origin for all of them, and tells what came out.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startDistribution } from '../test/lab/distribution.ts';
import { temporary } from '../test/lab/lab.ts';
import { push } from '../test/lab/push.ts';
import type { Bench, Scenario } from './bench.ts';
import type { Figure } from './figures.ts';
import { headOf, headText } from './head.ts';
import { kinds } from './parts/kinds.ts';
import { type Results, results } from './results.ts';
import { tableOf } from './table.ts';

export interface Choice {
  /** By name. */
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly quick: boolean;
  /** The results are kept under the date and this, unless it was quick; undefined: they are not. */
  readonly keptAs: string | undefined;
}

export async function runBench({ scenarios, quick, keptAs }: Choice): Promise<void> {
  const head = headOf();
  console.log(headText(head));
  const found = await withBench(quick, async (bench) => {
    const all: Record<string, readonly Figure[]> = {};
    for (const [name, scenario] of Object.entries(scenarios)) all[name] = await scenario(bench);
    return all;
  });
  // Each has servers of its own.
  for (const each of Object.values(found)) if (each.length > 0) console.log(`\n${tableOf(each)}`);
  for (const reason of reasonsIn(Object.values(found).flat())) console.log(reason);
  if (quick || keptAs === undefined) return;
  const file = join(results, `${head.date.slice(0, 10)}${keptAs}.json`);
  await mkdir(results, { recursive: true });
  await writeFile(file, `${JSON.stringify({ ...head, scenarios: found } satisfies Results, undefined, 2)}\n`);
  console.log(`\nkept in ${file}`);
}

/** Not into the table, which goes to standard output. */
function say(text: string): void {
  console.error(text);
}

async function withBench<T>(quick: boolean, use: (bench: Bench) => Promise<T>): Promise<T> {
  const directory = await temporary();
  // Also when it is interrupted; the processes that it started end with this one.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const storage = join(directory, 'origin');
  const origin = await startDistribution(directory, storage);
  const held = new Set<string>();
  for (const { name, missing } of kinds) if (missing !== undefined) say(`left out ${name}: ${missing}`);
  try {
    return await use({
      quick,
      directory,
      origin: origin.url,
      storage,
      kinds: kinds.filter(({ missing }) => missing === undefined),
      async hold(repository, item) {
        const name = `${repository}@${item.digest}`;
        if (!held.has(name)) await push(origin.url, repository, item, 'latest');
        held.add(name);
      },
      say,
    });
  } finally {
    await origin.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Why measurements failed: a line for each server. */
function reasonsIn(figures: readonly Figure[]): readonly string[] {
  const failures = figures
    .flatMap(({ columns }) => Object.entries(columns))
    .flatMap(([server, { failed }]) => failed.map((reason) => ({ server, reason })));
  const byServer = Map.groupBy(failures, ({ server }) => server);
  return [...byServer].map(([server, each]) => {
    const reasons = new Set(each.map(({ reason }) => reason));
    return `${server} failed: ${[...reasons].join('; ')}`;
  });
}
