// The command line: what can be asked of sampan, and how it says that it did not understand.
import { Argument, Command, CommanderError } from 'commander';
import type { AccountFlags } from './account.ts';
import type { CaFlags } from './ca.ts';
import { version } from '../version.ts';
import type { ConfigureFlags } from './configure.ts';
import type { ServeFlags } from './serve.ts';
import type { InstallFlags } from './service.ts';

const examples = `
Examples:
  sampan serve                                   the well-known public registries, on 127.0.0.1:5050
  sampan serve --config sampan.yaml              as the file says
  sampan serve --listen 127.0.0.1:8080 --data /var/lib/sampan
  sampan configure docker --mirror http://127.0.0.1:5050
  docker pull localhost:5050/ghcr.io/owner/app   through it`;

const misuse = 2;

function createProgram(): Command {
  const program = new Command('sampan')
    .description('A container-image mirror: any public image through one process, from disk the second time.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', examples)
    .showHelpAfterError('Try: sampan --help')
    .exitOverride();

  program
    .command('serve')
    .description('serve images until told to stop')
    .option('-c, --config <file>', 'read the configuration from a YAML file')
    .option('-l, --listen <host:port>', 'where to listen (default: 127.0.0.1:5050)')
    .option('-d, --data <directory>', 'where layers are kept (default: data)')
    .option('--log-level <level>', 'error, warn, info or debug (default: info)')
    .option('--print-config', 'only print the configuration that counts, without its secrets')
    .action(async (flags: ServeFlags) => {
      // Loaded only now: help and version answer at once.
      const { serve } = await import('./serve.ts');
      process.exit(await serve(flags));
    });
  addAccount(program);
  const service = program.command('service').description('sampan as a service of this machine, started with it');
  service
    .command('install')
    .description('show what is needed, ask, write it, and start')
    .option('-c, --config <file>', 'what the service is configured by')
    .option('-d, --data <directory>', 'where layers are kept (default: as the file says, or /var/lib/sampan)')
    .option('-u, --user <name>', 'as whom it runs; made if there is none (default: sampan)')
    .option('--print', 'only print the unit, or the init script')
    .option('-y, --yes', 'do not ask')
    .option('--systemd', 'a unit, also where systemd does not run')
    .option('--init', 'an init script, also where systemd runs')
    .action(async (flags: InstallFlags) => {
      const { install } = await import('./service.ts');
      process.exitCode = await install(flags);
    });
  service
    .command('uninstall')
    .description('take all of it away but the data')
    .option('-y, --yes', 'do not ask')
    .action(async (flags: InstallFlags) => {
      const { uninstall } = await import('./service.ts');
      process.exitCode = await uninstall(flags);
    });
  service
    .command('status')
    .description('whether it is installed, runs, since when, and is well')
    .action(async () => {
      const { status } = await import('./service.ts');
      process.exitCode = await status();
    });
  program
    .command('configure')
    .description('tell a client to pull through sampan: shows the change, asks, writes, and can take it back')
    .addArgument(new Argument('<client>', 'who pulls').choices(['docker', 'containerd', 'podman', 'buildkit', 'k3s']))
    .option('--mirror <url>', 'sampan as a mirror, such as http://127.0.0.1:5050')
    .option('--proxy <url>', 'sampan as a forward proxy, such as http://127.0.0.1:8384')
    .option('--registry <name...>', 'for these registries (default: the well-known public ones)')
    .option('--ca <file>', "certificates to trust: of the mirror, or of the proxy's interception")
    .option('--print', 'only show the change')
    .option('-y, --yes', 'write without asking')
    .option('--undo', 'bring back what was there before')
    .option('--restart', 'restart or reload the client afterwards')
    .option('--root <directory>', 'of the machine below this directory: an image, a chroot')
    .option('--client-version <version>', 'in place of what the installed client says')
    .action(async (client: string, flags: ConfigureFlags) => {
      const { configure } = await import('./configure.ts');
      process.exitCode = await configure(client, flags);
    });
  addCa(program);
  return program;
}

const accountExamples = `
Examples:
  sampan account add alice --config /etc/sampan/sampan.yaml
  sampan account add alice --print               only what would be written
  sampan account remove alice --config /etc/sampan/sampan.yaml && systemctl reload sampan
  sampan account list --config /etc/sampan/sampan.yaml`;

const onAccounts = async (verb: 'add' | 'remove' | 'list', name: string, flags: AccountFlags) => {
  const { manageAccounts } = await import('./account.ts');
  process.exitCode = await manageAccounts(verb, name, flags);
};

function addAccount(program: Command): void {
  const account = program
    .command('account')
    .description('accounts that may pull with a login of this mirror')
    .addHelpText('after', accountExamples);
  const config = ['-c, --config <file>', 'the configuration that has them (default: SAMPAN_CONFIG)'] as const;
  account
    .command('add <name>')
    .description('make a secret, show it once, and write what lets it in into the configuration')
    .option(...config)
    .option('--print', 'only print the lines')
    .action((name: string, flags: AccountFlags) => onAccounts('add', name, flags));
  account
    .command('remove <name>')
    .description('take an account out of the configuration')
    .option(...config)
    .option('--print', 'only say what would go')
    .action((name: string, flags: AccountFlags) => onAccounts('remove', name, flags));
  account
    .command('list')
    .description('who has an account, how he logs in, and what it allows')
    .option(...config)
    .action((flags: AccountFlags) => onAccounts('list', '', flags));
}

const onAuthority = (verb: 'show' | 'install' | 'renew') => async (flags: CaFlags) => {
  const { manageAuthority } = await import('./ca.ts');
  process.exitCode = await manageAuthority(verb, flags);
};

function addCa(program: Command): void {
  const ca = program.command('ca').description('the authority by which interception (proxy.intercept) is trusted');
  const config = ['-c, --config <file>', 'the configuration of this sampan'] as const;
  ca.command('show')
    .description('its fingerprint, how long and for which hosts it is good, and where it lies')
    .option(...config)
    .option('--pem', 'only the certificate, for other machines')
    .action(onAuthority('show'));
  ca.command('install')
    .description('have this machine trust it')
    .option(...config)
    .option('-y, --yes', 'do not ask')
    .option('--undo', 'trust none of this sampan any more')
    .option('--root <directory>', 'in the system below this directory')
    .action(onAuthority('install'));
  ca.command('renew')
    .description('make a new one, for the registries that are configured now')
    .option(...config)
    .action(onAuthority('renew'));
}

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : misuse;
}
