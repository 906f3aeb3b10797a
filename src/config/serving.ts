// The keys that every kind of sampan has: what it serves, to whom, and under which names.
import * as z from 'zod';
import type { Access } from '../core/access/admit.ts';
import { type Network, parseNetwork } from '../core/access/networks.ts';
import { isRegistryName } from '../core/oci/reference.ts';
import { dictionary, list, section, value } from './fields.ts';
import { parseDuration } from './quantity.ts';
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

/** Of one registry. */
export const registryKeys = {
  endpoints: list(endpoint, 'URLs').min(1, { error: 'at least one URL' }).optional(),
  mirrors: list(endpoint, 'URLs').optional(),
  realms: list(realm, 'URLs').optional(),
  redirects: list(origin, 'URLs').optional(),
  aliases: list(host, 'hosts').optional(),
  fresh_for: duration.optional(),
  stale_for: duration.optional(),
};

const network = value('an IP network, such as 10.0.0.0/8, or an IP address', (found): Network | undefined => {
  try {
    return typeof found === 'string' ? parseNetwork(found) : undefined;
  } catch {
    return undefined;
  }
});
const networks = section({
  networks: list(network, 'IP networks').min(1, { error: 'at least one IP network' }),
});

const access = z.union([z.literal('open'), networks], { error: 'open, or a map with the key networks' }).optional();
export const catalogue = z.boolean({ error: 'true or false' }).default(true);
export const hosts = dictionary('a map of host names to registries', host, registryName);

/** `registry`: the section for one. */
export function servingKeys<Registry extends z.ZodType>(registry: Registry) {
  const registries = dictionary('a map of registries by name', registryName, registry);
  return { access, registries, catalogue, hosts };
}

/** undefined: nobody said to whom, which is for each kind of sampan to judge. */
export function composeAccess(settings: z.infer<typeof access>): Access | undefined {
  if (settings === undefined) return undefined;
  return settings === 'open' ? { kind: 'open' } : { kind: 'networks', ...settings };
}
