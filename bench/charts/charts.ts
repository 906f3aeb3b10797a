// The page of figures in the docs, made of nothing but the newest results of each bench.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { headText } from '../head.ts';
import { type Results, results } from '../results.ts';
import { tableOf } from '../table.ts';
import { chartOf } from './chart.ts';

/** By what stands behind the date in the name of the file. */
const titles: Readonly<Record<string, string>> = {
  '': 'What is here already',
  '-cold': 'What is not here yet',
  '-proxy': 'The forward proxy',
};
const date = '2026-11-20'.length;

const docs = join(import.meta.dirname, '../../docs');
const images = join(docs, 'figures');

const intro = `# Figures

\`npm run bench -- charts\` has made this page of [the results](../bench/results); [the bench](../bench/README.md) says what is measured, and how.`;

export async function drawCharts(): Promise<void> {
  const files = await readdir(results);
  await rm(images, { recursive: true, force: true });
  await mkdir(images);
  const sections = [intro];
  for (const [kind, title] of Object.entries(titles)) {
    const all = files.filter((file) => file.slice(date) === `${kind}.json`);
    if (all.length === 0) continue;
    const newest = all.reduce((one, other) => (one > other ? one : other));
    sections.push(`## ${title}`, ...(await sectionOf(newest, kind)));
  }
  await writeFile(join(docs, 'figures.md'), `${sections.join('\n\n')}\n`);
}

async function sectionOf(file: string, kind: string): Promise<readonly string[]> {
  const found = JSON.parse(await readFile(join(results, file), 'utf8')) as Results;
  const parts = [headText(found).replaceAll('\n', '; ')];
  for (const [name, figures] of Object.entries(found.scenarios)) {
    const chart = chartOf(figures);
    if (chart === undefined) continue;
    const image = `${name}${kind}.svg`;
    await writeFile(join(images, image), chart);
    parts.push(`### ${name}`, `![${name}](figures/${image})`, tableOf(figures));
  }
  return parts;
}
