// What sampan is told before it starts: flags before environment, environment before file, file before defaults.
import { dirname, resolve } from 'node:path';
import type { AccountEntry } from '../../core/access/accounts.ts';
import type { Access } from '../../core/access/admit.ts';
import type { PasswordEntry } from '../../core/access/passwords.ts';
import type { Rules } from '../../core/access/rules.ts';
import type { Network } from '../../core/access/networks.ts';
import type { LimitSettings } from '../../core/door/limits.ts';
import type { SentrySettings } from '../../core/edge/sentry.ts';
import type { TlsPolicy } from '../../core/edge/tls.ts';
import type { Credentials } from '../../core/upstream/registries.ts';
import { type Address, isLoopback } from './address.ts';
import { readAuthorities } from './authorities.ts';
import { bringSecrets } from './brought.ts';
import { composeAccounts } from '../../config/accounts.ts';
import { check } from '../../config/check.ts';
import { disagreements } from './disagreements.ts';
import { accountsIn, composeCredentials } from '../../config/credentials.ts';
import { readSecretFiles } from './credentials.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { readConfigFile } from './file.ts';
import { readHtpasswd, withPasswords } from './htpasswd.ts';
import { layer, type Setting } from '../../config/layer.ts';
import { ConfigError } from '../../config/problem.ts';
import { composeRegistries, type ServedRegistry } from '../../config/registries.ts';
import { composeSentry } from '../../config/sentry.ts';
import { composeRules } from '../../config/rules.ts';
import { composeAccess } from '../../config/serving.ts';
import { composeTlsNotice } from '../../config/tls-notice.ts';
import { schema, type Settings } from './schema.ts';
import { composeEdge, composeTls, type EdgeSettings, type OwnTls } from './tls.ts';
import type { Via } from './via.ts';
import type { LogLevel } from '../log/lines.ts';

export interface ProxyConfig {
  readonly listen: Address;
  /** Hosts beside those of the registries: whole names, or `*.` and a domain. */
  readonly allow: readonly string[];
  /** Whether clients may go where the mirror was lately redirected to for them. */
  readonly learn: boolean;
  /** Names of the registries that are answered by the mirror in place of themselves. */
  readonly intercept: readonly string[];
  /** For each client. */
  readonly tunnels: number;
  /** Milliseconds without a byte, and in all. */
  readonly idle: number;
  readonly longest: number;
}

export interface Config {
  readonly listen: Address;
  /** Absolute. */
  readonly data: string;
  /** Bytes; milliseconds in which all of them are looked through, undefined: never. */
  readonly storage: { readonly limit: number; readonly scrub: number | undefined };
  /** Whether files go out by sendfile(2) where that can be had. */
  readonly sendfile: boolean;
  readonly access: Access;
  /** Undefined: plain HTTP. */
  readonly tls: OwnTls | undefined;
  /** Who is told that his version of TLS will not do for much longer. */
  readonly tlsNotice: TlsPolicy | undefined;
  readonly edge: EdgeSettings | undefined;
  /** Those who end TLS before us: what they say of a client's address and scheme is believed. */
  readonly trustedPeers: readonly Network[];
  /** Under which secrets are kept and tokens sealed. */
  readonly key: string | undefined;
  readonly accounts: readonly AccountEntry[];
  /** Of those accounts that have one. Undefined: none can. */
  readonly passwords: readonly PasswordEntry[] | undefined;
  /** Who may pull what at all. */
  readonly rules: Rules;
  readonly registries: readonly ServedRegistry[];
  /** By the Host header, in lower case, with or without a port: a registry's name. */
  readonly hosts: Readonly<Record<string, string>>;
  /** By host, in lower case, without a port: where it is dialled. */
  readonly resolve: Readonly<Record<string, Address>>;
  /** The URL of a DNS resolver; undefined: the system's. */
  readonly dns: string | undefined;
  /** The proxy through which everything is dialled. */
  readonly via: Via | undefined;
  /** Layers that are fetched before they are asked for, at once. */
  readonly pullAhead: number;
  readonly proxy: ProxyConfig | undefined;
  /** For each client. Undefined: there are none. */
  readonly limits: LimitSettings | undefined;
  readonly admin: { readonly listen: Address } | undefined;
  readonly log: { readonly level: LogLevel };
  readonly sentry: SentrySettings | undefined;
  /** Milliseconds that running replies have to finish when sampan is told to stop. */
  readonly stopWithin: number;
}

/** As they were written. */
export interface Flags {
  readonly config?: string | undefined;
  readonly listen?: string | undefined;
  readonly data?: string | undefined;
  readonly logLevel?: string | undefined;
}

export interface ConfigSources {
  readonly flags: Flags;
  readonly environment: Environment;
  /** The working directory: relative paths of flags and environment begin here, those of the file at the file. */
  readonly directory: string;
}

/** Throws ConfigError, which tells everything that is wrong. */
export async function readConfig(sources: ConfigSources): Promise<Config> {
  return (await readWhole(sources)).config;
}

/** With the tree of all that was written, in which no secret is that stands elsewhere, and where the relative paths of a key begin. */
export async function readWhole({ flags, environment, directory }: ConfigSources): Promise<{
  readonly config: Config;
  readonly tree: unknown;
  readonly base: (key: string) => string;
}> {
  const named = flags.config ?? (environment['SAMPAN_CONFIG'] || undefined);
  const path = named === undefined ? undefined : resolve(directory, named);
  const file = path === undefined ? undefined : await readConfigFile(path);
  const variables = readEnvironment(environment);
  const overrides = [...variables.settings, ...settingsOf(flags)];

  const layered = layer(file, overrides);
  const base = (key: string): string =>
    path === undefined || overrides.some((setting) => setting.path[0] === key) ? directory : dirname(path);
  const variable = (name: string): string | undefined => environment[name];
  const { written, problems: unread } = await bringSecrets(layered, base, variable);
  const { settings, problems } = check(written, { schema, disagreements });
  const registries = settings?.registries ?? {};
  const passwordFiles = Object.values(registries).flatMap(({ credentials }) =>
    accountsIn(credentials).map(({ password_file }) => password_file),
  );
  const passwordPlaces = { file: await readSecretFiles(passwordFiles, base('registries')), variable };
  const passwords = composeCredentials(registries, passwordPlaces, written.where);
  const believed = await readAuthorities(registries, base('registries'), written.where);
  const edgePlaces = { file: await readSecretFiles([settings?.edge?.secret_file], base('edge')), variable };
  const edge = composeEdge(settings?.edge, edgePlaces, written);
  const htpasswdFile = settings?.htpasswd;
  const htpasswd = htpasswdFile === undefined ? undefined : await readHtpasswd(resolve(base('htpasswd'), htpasswdFile));
  const all = [
    ...problems,
    ...variables.problems,
    ...unread,
    ...passwords.problems,
    ...believed.problems,
    ...edge.problems,
    ...(htpasswd?.problems ?? []),
  ];
  if (settings === undefined || all.length > 0) throw new ConfigError(all);
  const data = resolve(base('data'), settings.data);
  const composed = compose(settings, data, passwords.credentials, believed.authorities);
  const config = {
    ...composed,
    accounts: withPasswords(composed.accounts, htpasswd?.passwords ?? []),
    passwords: htpasswd?.passwords,
    tls: composeTls(settings.tls, base('tls')),
    edge: edge.edge,
  };
  return { config, tree: layered.tree, base };
}

function settingsOf(flags: Flags): readonly Setting[] {
  const settings: readonly Setting[] = [
    { path: ['listen'], value: flags.listen, where: '--listen' },
    { path: ['data'], value: flags.data, where: '--data' },
    { path: ['log', 'level'], value: flags.logLevel, where: '--log-level' },
  ];
  return settings.filter((setting) => setting.value !== undefined);
}

function compose(
  settings: Settings,
  data: string,
  credentials: ReadonlyMap<string, readonly Credentials[]>,
  authorities: ReadonlyMap<string, string>,
): Omit<Config, 'tls' | 'edge' | 'passwords'> {
  const { storage } = settings;
  const registries = composeRegistries(settings).map((entry) => ({
    ...entry,
    credentials: credentials.get(entry.name),
    ca: authorities.get(entry.name),
  }));
  return {
    listen: settings.listen,
    data,
    storage: { limit: storage.limit, scrub: storage.scrub === 'off' ? undefined : storage.scrub },
    sendfile: settings.sendfile,
    access: composeAccess(settings.access) ?? { kind: 'open' },
    trustedPeers: settings.trusted_proxies ?? [],
    tlsNotice: composeTlsNotice(settings.tls_notice),
    key: settings.key,
    accounts: composeAccounts(settings.accounts),
    rules: composeRules(settings.rules),
    registries,
    hosts: settings.hosts,
    resolve: settings.resolve,
    dns: settings.dns,
    via: settings.via,
    pullAhead: settings.pull_ahead,
    proxy: composeProxy(settings.proxy, registries),
    limits: composeLimits(settings.limits),
    admin: settings.admin.listen === undefined ? undefined : { listen: settings.admin.listen },
    log: settings.log,
    sentry: composeSentry(settings.sentry),
    stopWithin: settings.stop_within,
  };
}

function composeLimits({ requests, bytes, pulls, loopback }: Settings['limits']): LimitSettings | undefined {
  if (requests === undefined && bytes === undefined && pulls === undefined) return undefined;
  return { requests, bytes, pulls, loopback };
}

/** What is learned is a convenience for one's own machine; others get what is written down. */
function composeProxy(
  { listen, learn, intercept: written, ...rest }: Settings['proxy'],
  registries: readonly ServedRegistry[],
): ProxyConfig | undefined {
  if (listen === undefined) return undefined;
  const all = written === true ? registries.map(({ name }) => name) : [];
  const intercept = typeof written === 'boolean' ? all : written;
  return { listen, learn: learn ?? isLoopback(listen), intercept, ...rest };
}
