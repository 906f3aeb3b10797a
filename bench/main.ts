// The command line of the bench: which one, and how much of it.
import { Command, Option } from 'commander';
import type { Scenario } from './bench.ts';
import { drawCharts } from './charts/charts.ts';
import { cold } from './cold/cold.ts';
import { proxy } from './proxy/proxy.ts';
import { rest } from './rest/rest.ts';
import { runBench } from './run.ts';

interface Flags {
  readonly quick?: boolean;
  readonly only?: string;
}

const examples = `
Examples:
  npm run bench                          what is here already, all of it: about 20 minutes, results go to bench/results
  npm run bench -- --quick               to see that it works: two minutes, and figures that say little
  npm run bench -- warm                  one of its scenarios; so are manifests, memory, start, tls and scale
  npm run bench -- cold                  what is not here yet: about 15 minutes
  npm run bench -- cold --only resets    one scenario of that
  npm run bench -- proxy                 the forward proxy beside squid: two minutes
  npm run bench -- charts                docs/figures.md from the newest results`;

const program = new Command('bench')
  .description('Measures sampan side by side with what people would use instead.')
  .helpOption('-h, --help', 'show this help')
  .addHelpText('after', examples)
  .showHelpAfterError('Try: npm run bench -- --help');

add('rest', 'what is here already: all of the next six (this is what runs if nothing is named)', rest, '');
add('warm', 'a blob of 1 GiB, read by one client and by 32', { warm: rest.warm });
add('manifests', 'a manifest, by digest and by tag, as often as 32 connections ask', { manifests: rest.manifests });
add('memory', '200 clients that read 1 GiB each', { memory: rest.memory });
add('start', 'from the start of the process to its first answer', { start: rest.start });
add('tls', 'the blob over TLS', { tls: rest.tls });
add('scale', 'a store of 1,000,000 blobs and 200,000 tags', { scale: rest.scale });
add('cold', 'what is not here yet, over links that are fast, slow, broken or crowded', cold, '-cold');
add('proxy', 'tunnels through the forward proxy: one as wide as it goes, and two thousand at once', proxy, '-proxy');
program.command('charts').description('docs/figures.md and its charts, from the newest results').action(drawCharts);

await program.parseAsync();

/** `keptAs`: what the results of all of it are kept as, behind the date. */
function add(name: string, description: string, scenarios: Readonly<Record<string, Scenario>>, keptAs?: string): void {
  program
    .command(name, { isDefault: name === 'rest' })
    .description(description)
    .option('-q, --quick', 'small sizes, few rounds')
    .addOption(new Option('-o, --only <name>', 'one scenario').choices(Object.keys(scenarios)))
    .action(async ({ quick = false, only }: Flags) => {
      const chosen = Object.entries(scenarios).filter(([each]) => only === undefined || each === only);
      await runBench({
        scenarios: Object.fromEntries(chosen),
        quick,
        keptAs: only === undefined ? keptAs : undefined,
      });
    });
}
