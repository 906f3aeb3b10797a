// `sampan serve`: reads the configuration, starts the mirror, says where it is, reads it anew and stops when told to.
import { constants } from 'node:os';
import { startApp } from '../app.ts';
import { Certificate } from '../certificate.ts';
import { type Config, type ConfigSources, type Flags, readConfig, readWhole } from '../config/config.ts';
import { printed } from '../config/printed.ts';
import { formatAddress } from '../config/address.ts';
import { formatVia } from '../config/via.ts';
import { ConfigError } from '../../config/problem.ts';
import { type Log, openLog } from '../log/log.ts';
import { openSentry } from '../sentry.ts';
import { version } from '../version.ts';
import { servingName } from '../service/facts.ts';
import { onHangup } from './hangup.ts';
import { whyNotStarted } from './why-not-started.ts';

export interface ServeFlags extends Flags {
  readonly printConfig?: boolean;
}

type App = Awaited<ReturnType<typeof startApp>>;

/** Resolves with the exit code: 0 when the mirror was told to stop and has, or has only printed its configuration, 1 if it could not start, 2 if the configuration is wrong. */
export async function serve({ printConfig, ...flags }: ServeFlags): Promise<number> {
  const sources = { flags, environment: process.env, directory: process.cwd() };
  let config: Config;
  try {
    if (printConfig === true) return await print(sources);
    config = await readConfig(sources);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return complain(error.message, 2);
  }

  const log = await openLog(config.log.level);
  const sentry = openSentry(config);
  async function crash(error: unknown): Promise<void> {
    log.report({ kind: 'bug', error });
    sentry.crashed(error);
    await sentry.close();
    process.exit(1);
  }
  // Node would print every property of the error, headers included.
  process.on('uncaughtException', (error) => void crash(error));

  const starting = startApp(config, log, { heardBy: sentry.report });
  // Before it runs: a signal that nobody listens to would end the process.
  onHangup(() => void starting.then((app) => app.reload(() => readConfig(sources))).catch(() => {}));
  let app: App;
  try {
    app = await starting;
  } catch (error) {
    if (error instanceof ConfigError) return complain(error.message, 2);
    return complain(whyNotStarted(error, config), 1);
  }
  // For `ps`, and for whoever waits until it serves, or asks how it is.
  process.title = `${servingName} ${schemeOf(config)}://${app.address}`;
  // Before anybody is told that it runs, and stops it again.
  const stopped = stopSignal();
  announce(app, config, log);
  const signal = await stopped;
  log.info(
    `${signal}: stopping; running replies have ${config.stopWithin / 1000} s to finish, a second signal stops at once`,
  );
  await app.close();
  await sentry.close();
  log.info('stopped');
  return 0;
}

/** Throws ConfigError for whatever would keep it from starting. */
async function print(sources: ConfigSources): Promise<number> {
  const { config, tree, base } = await readWhole(sources);
  if (config.tls !== undefined) await Certificate.open(config.tls);
  process.stdout.write(printed(tree, base));
  return 0;
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`sampan: ${message.trimEnd()}\n`);
  return exitCode;
}

function announce({ address, adminAddress, proxyAddress }: App, config: Config, log: Log): void {
  const { data, resolve, dns, via, proxy } = config;
  const url = urlOf(address, schemeOf(config));
  const docker = `"registry-mirrors": ["${url}"]`;
  const facts = { address, ...(adminAddress === undefined ? {} : { adminAddress }), data };
  log.info(`sampan ${version} listens on ${address}; for docker, put ${docker} into /etc/docker/daemon.json`, facts);
  if (proxyAddress !== undefined) {
    log.info(`the forward proxy listens on ${proxyAddress}; for docker, set HTTPS_PROXY=${urlOf(proxyAddress)}`);
  }
  const intercepted = proxy?.intercept ?? [];
  if (intercepted.length > 0) {
    log.info(
      `to be intercepted: ${intercepted.join(', ')}; clients have to trust the authority that sampan ca show tells of`,
    );
  }
  for (const [host, pin] of Object.entries(resolve)) {
    log.info(`${host} is dialled at ${formatAddress(pin)}, as resolve says`);
  }
  if (dns !== undefined) log.info(`names are looked up by ${new URL(dns).host}, as dns says, and by nobody else`);
  if (via !== undefined) log.info(`everything is dialled through ${formatVia(via)}, as via says`);
}

function schemeOf({ tls }: Config): 'http' | 'https' {
  return tls === undefined ? 'http' : 'https';
}

function urlOf(address: string, scheme: 'http' | 'https' = 'http'): string {
  return `${scheme}://${address.replace(/^(?:0\.0\.0\.0|\[::\]):/, 'localhost:')}`;
}

/** Milliseconds in which two signals are one: under npm, Ctrl-C comes from the terminal and again from npm. */
const oneAndTheSame = 300;

/** The first signal to stop. The second one ends the process there and then. */
function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      first ??= performance.now();
      if (performance.now() - first > oneAndTheSame) process.exit(128 + constants.signals[signal]);
      resolve(signal);
    });
  }
  return promise;
}
