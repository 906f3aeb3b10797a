// What the Worker is told: the configuration of sampan, as JSON in the variable SAMPAN_CONFIG.
import type * as z from 'zod';
import { accountSection, composeAccounts } from '../config/accounts.ts';
import { check } from '../config/check.ts';
import { composeCredentials, type SecretPlaces } from '../config/credentials.ts';
import { servingDisagreements } from '../config/disagreements.ts';
import { section } from '../config/fields.ts';
import { ConfigError } from '../config/problem.ts';
import { composeRegistries, type ServedRegistry } from '../config/registries.ts';
import { composeSentry } from '../config/sentry.ts';
import { composeRules } from '../config/rules.ts';
import { composeAccess, registryKeys, servingKeys } from '../config/serving.ts';
import { composeTlsNotice } from '../config/tls-notice.ts';
import type { AccountEntry } from '../core/access/accounts.ts';
import type { Access } from '../core/access/admit.ts';
import type { Rules } from '../core/access/rules.ts';
import type { SentrySettings } from '../core/edge/sentry.ts';
import type { TlsPolicy } from '../core/edge/tls.ts';
import type { Credentials } from '../core/upstream/registries.ts';
import { readVariables, type Variable } from './variables.ts';

export interface WorkerConfig {
  readonly access: Access | undefined;
  /** Under which secrets are kept and tokens sealed. */
  readonly key: string | undefined;
  readonly accounts: readonly AccountEntry[];
  /** Who may pull what at all. */
  readonly rules: Rules;
  readonly registries: readonly ServedRegistry[];
  /** By the Host header, in lower case: a registry's name. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly sentry: SentrySettings | undefined;
  readonly tlsNotice: TlsPolicy | undefined;
}

const registry = section(registryKeys);
const schema = section(servingKeys(registry, accountSection));
const secrets = { SAMPAN_KEY: ['key'], SENTRY_DSN: ['sentry', 'dsn'] };
const elsewhere = {
  keys: new Set<PropertyKey>([
    'htpasswd',
    'listen',
    'data',
    'storage',
    'resolve',
    'dns',
    'via',
    'via_file',
    'via_env',
    'key_file',
    'key_env',
    'dsn_file',
    'dsn_env',
    'ca',
    'pull_ahead',
    'admin',
    'log',
    'stop_within',
    'lanes',
    'stall_after',
    'trusted_proxies',
    'tls',
    'edge',
    'proxy',
    'limits',
    'sendfile',
    'cdns',
  ]),
  says: 'found a key for a sampan on a machine of your own; a Worker has no use for it',
};

/** Throws ConfigError, which tells everything that is wrong. */
export function readConfig(variable: Variable): WorkerConfig {
  const written = readVariables(variable, secrets);
  const { settings, problems } = check(written, { schema, disagreements, elsewhere });
  const passwords = composeCredentials(settings?.registries ?? {}, places(variable), written.where);
  const all = [...problems, ...passwords.problems];
  if (settings === undefined || all.length > 0) throw new ConfigError(all);
  return compose(settings, passwords.credentials);
}

function places(variable: Variable): SecretPlaces {
  return {
    variable(name) {
      const found = variable(name);
      return typeof found === 'string' ? found : undefined;
    },
    file: () => ({ says: 'a Worker has no files' }),
  };
}

function disagreements(written: Parameters<typeof servingDisagreements>[0]) {
  return servingDisagreements(written, registry);
}

function compose(
  settings: z.infer<typeof schema>,
  credentials: ReadonlyMap<string, readonly Credentials[]>,
): WorkerConfig {
  return {
    access: composeAccess(settings.access),
    key: settings.key,
    accounts: composeAccounts(settings.accounts),
    rules: composeRules(settings.rules),
    registries: composeRegistries(settings).map((entry) => ({ ...entry, credentials: credentials.get(entry.name) })),
    hosts: settings.hosts,
    sentry: composeSentry(settings.sentry),
    tlsNotice: composeTlsNotice(settings.tls_notice),
  };
}
