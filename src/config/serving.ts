// The keys that every kind of sampan has: what it serves, to whom, and under which names.
import * as z from 'zod';
import type { Access } from '../core/access/admit.ts';
import { isRegistryName } from '../core/oci/reference.ts';
import { accountsOf } from './accounts.ts';
import { dictionary, filePath, list, section, text, value } from './fields.ts';
import { someNetworks } from './networks.ts';
import { parseDuration } from './quantity.ts';
import { rules } from './rules.ts';
import { secret } from './secrets.ts';
import { sentry } from './sentry.ts';
import { tlsNotice } from './tls-notice.ts';
import { parseEndpoint, parseOrigin, parseRealm } from './urls.ts';

export const isHost = (found: unknown): found is string => typeof found === 'string' && isRegistryName(found);
/** A host, or every host below a domain. */
const isRegistry = (found: unknown): found is string =>
  isHost(found) || (typeof found === 'string' && found.startsWith('*.') && isHost(found.slice(2)));

const host = z.string().refine(isHost, { error: 'a host in lower case, such as hub.example.com' });
const registryName = z.string().refine(isRegistry, {
  error: 'a host in lower case as in image names: registry.example.com, localhost:5000 or *.example.com',
});

const httpUrl = 'an http or https URL without user, query or fragment';
const endpoint = value(`${httpUrl}, such as https://registry.example.com`, parseEndpoint);
const realm = value(`${httpUrl}, such as https://auth.example.com/token`, parseRealm);
const origin = value('an http or https URL of scheme, host and port only, such as http://cdn.lan:9000', parseOrigin);
const duration = value('a number with a unit (ms, s, m, h, d), such as 1m or 24h', parseDuration);

const credentials = section({
  username: text('a user name'),
  password: secret(text('a password')).optional(),
  password_file: filePath().optional(),
  password_env: text('the name of a variable').optional(),
});

/** Of one registry. */
export const registryKeys = {
  endpoints: list(endpoint, 'URLs').min(1, { error: 'at least one URL' }).optional(),
  mirrors: list(endpoint, 'URLs').optional(),
  realms: list(realm, 'URLs').optional(),
  redirects: list(origin, 'URLs').optional(),
  aliases: list(host, 'hosts').optional(),
  fresh_for: duration.optional(),
  stale_for: duration.optional(),
  login: z.enum(['none', 'own', 'account'], { error: 'none, own or account' }).optional(),
  credentials: z
    .union([credentials, list(credentials, 'accounts').min(1, { error: 'at least one account' })], {
      error: 'an account, with username and password, or a list of accounts',
    })
    .optional(),
};

const networks = section({ networks: someNetworks, login: z.boolean({ error: 'true or false' }).optional() });

const access = z
  .union([z.literal('open'), z.literal('login'), networks], { error: 'open, login, or a map with the key networks' })
  .optional();

const key = secret(
  value('at least 32 characters that nobody can guess', (found) =>
    typeof found === 'string' && found.length >= 32 ? found : undefined,
  ),
).optional();
export const catalogue = z.boolean({ error: 'true or false' }).default(true);
export const hosts = dictionary('a map of host names to registries', host, registryName);

/** `registry`, `account`: the section for one. */
export function servingKeys<Registry extends z.ZodType, Account extends z.ZodType>(
  registry: Registry,
  account: Account,
) {
  const registries = dictionary('a map of registries by name', registryName, registry);
  const accounts = accountsOf(account);
  return { access, key, accounts, rules, registries, catalogue, hosts, sentry, tls_notice: tlsNotice };
}

/** undefined: nobody said to whom, which is for each kind of sampan to judge. */
export function composeAccess(settings: z.infer<typeof access>): Access | undefined {
  if (settings === undefined) return undefined;
  if (settings === 'open') return { kind: 'open' };
  return settings === 'login' ? { kind: 'networks', networks: [], login: true } : { kind: 'networks', ...settings };
}
