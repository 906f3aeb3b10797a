// The command line of the bench: which one, and how much of it.
import { Command, Option } from 'commander';
import type { Scenario } from './bench.ts';
import { cold } from './cold/cold.ts';
import { proxy } from './proxy/proxy.ts';
import { runBench } from './run.ts';

interface Flags {
  readonly quick?: boolean;
  readonly only?: string;
}

const examples = `
Examples:
  npm run bench -- cold                  all of it: about 15 minutes, results go to bench/results
  npm run bench -- cold --quick          to see that it works: two minutes, and figures that say little
  npm run bench -- cold --only resets    one scenario
  npm run bench -- proxy                 the forward proxy beside squid: two minutes`;

const program = new Command('bench')
  .description('Measures sampan side by side with what people would use instead.')
  .helpOption('-h, --help', 'show this help')
  .addHelpText('after', examples)
  .showHelpAfterError('Try: npm run bench -- --help');

add('cold', 'what is not here yet, over links that are fast, slow, broken or crowded', cold);
add('proxy', 'tunnels through the forward proxy: one as wide as it goes, and two thousand at once', proxy);

await program.parseAsync();

function add(name: string, description: string, scenarios: Readonly<Record<string, Scenario>>): void {
  program
    .command(name)
    .description(description)
    .option('-q, --quick', 'small sizes, few rounds')
    .addOption(new Option('-o, --only <name>', 'one scenario').choices(Object.keys(scenarios)))
    .action(async ({ quick = false, only }: Flags) => {
      const chosen = Object.entries(scenarios).filter(([each]) => only === undefined || each === only);
      await runBench({ name, scenarios: Object.fromEntries(chosen), quick, whole: only === undefined });
    });
}
