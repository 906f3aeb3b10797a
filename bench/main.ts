// The command line of the bench: which one, and how much of it.
import { Command, Option } from 'commander';
import { cold } from './cold/cold.ts';
import { runBench } from './run.ts';

interface Flags {
  readonly quick?: boolean;
  readonly only?: string;
}

const examples = `
Examples:
  npm run bench -- cold                  all of it: about 15 minutes, results go to bench/results
  npm run bench -- cold --quick          to see that it works: two minutes, and figures that say little
  npm run bench -- cold --only resets    one scenario`;

const program = new Command('bench')
  .description('Measures sampan side by side with what people would use instead.')
  .helpOption('-h, --help', 'show this help')
  .addHelpText('after', examples)
  .showHelpAfterError('Try: npm run bench -- --help');

program
  .command('cold')
  .description('what is not here yet, over links that are fast, slow, broken or crowded')
  .option('-q, --quick', 'small sizes, few rounds')
  .addOption(new Option('-o, --only <name>', 'one scenario').choices(Object.keys(cold)))
  .action(async ({ quick = false, only }: Flags) => {
    const chosen = Object.entries(cold).filter(([name]) => only === undefined || name === only);
    await runBench({ scenarios: Object.fromEntries(chosen), quick, whole: only === undefined });
  });

await program.parseAsync();
