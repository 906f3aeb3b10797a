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
import { tableOf } from './table.ts';

export interface Choice {
  /** Of the bench. */
  readonly name: string;
  /** By name. */
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly quick: boolean;
  /** Whether these are all there are: only then are the results kept. */
  readonly whole: boolean;
}

export async function runBench({ name, scenarios, quick, whole }: Choice): Promise<void> {
  const head = headOf();
  console.log(headText(head));
  const figures = await withBench(quick, async (bench) => {
    const found: Figure[] = [];
    for (const scenario of Object.values(scenarios)) found.push(...(await scenario(bench)));
    return found;
  });
  console.log(`\n${tableOf(figures)}`);
  for (const reason of reasonsIn(figures)) console.log(reason);
  if (quick || !whole) return;
  const results = join(import.meta.dirname, 'results');
  const file = join(results, `${head.date.slice(0, 10)}-${name}.json`);
  await mkdir(results, { recursive: true });
  await writeFile(file, `${JSON.stringify({ ...head, figures }, undefined, 2)}\n`);
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
  const origin = await startDistribution(directory, join(directory, 'origin'));
  for (const { name, missing } of kinds) if (missing !== undefined) say(`left out ${name}: ${missing}`);
  try {
    return await use({
      quick,
      directory,
      origin: origin.url,
      kinds: kinds.filter(({ missing }) => missing === undefined),
      hold: (repository, item) => push(origin.url, repository, item, 'latest'),
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
