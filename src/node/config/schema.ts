// The shape of the configuration: every key, what it must be, and what it is if nobody says.
import { z } from 'zod';
import { type Network, parseNetwork } from '../../core/access/networks.ts';
import { isRegistryName } from '../../core/oci/reference.ts';
import { parseAddress, parsePin, isLoopback } from './address.ts';
import { parseDuration, parseSize } from './quantity.ts';
import { parseEndpoint, parseOrigin, parseRealm } from './urls.ts';

const logLevels = ['error', 'warn', 'info', 'debug'] as const;

/** A value that `parse` understands. Every issue's message says what was expected; what was found is looked up where it is told. */
function value<T>(expected: string, parse: (found: unknown) => T | undefined) {
  return z.unknown().transform((found, context): T => {
    const parsed = parse(found);
    if (parsed !== undefined) return parsed;
    context.issues.push({ code: 'custom', message: expected, input: found });
    return z.NEVER;
  });
}

const orEmpty = (found: unknown): unknown => found ?? {};

/** A map with known keys. One whose keys are all commented out is an empty one. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(
    orEmpty,
    z.strictObject(shape, { error: `a map with the keys ${Object.keys(shape).join(', ')}` }),
  );
}

/** A map whose keys are names of somebody else's choice. */
function dictionary<Value extends z.ZodType>(expected: string, key: z.ZodType<string, string>, of: Value) {
  return z.preprocess(orEmpty, z.record(key, of, { error: expected }));
}

function list<Item extends z.ZodType>(of: Item, expected: string) {
  return z.array(of, { error: `a list of ${expected}` });
}

const isHost = (found: unknown): found is string => typeof found === 'string' && isRegistryName(found);
/** A host, or every host below a domain. */
const isRegistry = (found: unknown): found is string =>
  isHost(found) || (typeof found === 'string' && found.startsWith('*.') && isHost(found.slice(2)));

const host = z.string().refine(isHost, { error: 'a host in lower case, such as hub.example.com' });
const pinnedHost = z
  .string()
  .refine((found) => isHost(found) && !/:\d+$/.test(found), { error: 'a host in lower case, without a port' });
const registryName = z.string().refine(isRegistry, {
  error: 'a host in lower case as in image names: registry.example.com, localhost:5000 or *.example.com',
});

const httpUrl = 'an http or https URL without user, query or fragment';
const endpoint = value(`${httpUrl}, such as https://registry.example.com`, parseEndpoint);
const realm = value(`${httpUrl}, such as https://auth.example.com/token`, parseRealm);
const origin = value('an http or https URL of scheme, host and port only, such as http://cdn.lan:9000', parseOrigin);
const duration = value('a number with a unit (ms, s, m, h, d), such as 1m or 24h', parseDuration);

const lanes = value('a whole number from 1 to 16', (found) =>
  typeof found === 'number' && Number.isInteger(found) && found >= 1 && found <= 16 ? found : undefined,
);

const longestStop = 3_600_000;
/** Who writes 50 means 50GB. */
const smallestStorage = 1e6;

export const registry = section({
  endpoints: list(endpoint, 'URLs').min(1, { error: 'at least one URL' }).optional(),
  mirrors: list(endpoint, 'URLs').optional(),
  realms: list(realm, 'URLs').optional(),
  redirects: list(origin, 'URLs').optional(),
  aliases: list(host, 'hosts').optional(),
  fresh_for: duration.optional(),
  stale_for: duration.optional(),
  lanes: lanes.optional(),
});

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

export const schema = section({
  listen: value('host:port, such as 127.0.0.1:5050 or "[::1]:5050"', parseAddress).default({
    host: '127.0.0.1',
    port: 5050,
  }),
  data: value('the path of a directory', (found) =>
    typeof found === 'string' && found !== '' ? found : undefined,
  ).default('data'),
  storage: section({
    limit: value('at least 1MB, as a number of bytes or with a unit, such as 50GB or 50GiB', (found) => {
      const bytes = parseSize(found);
      return bytes !== undefined && bytes >= smallestStorage ? bytes : undefined;
    }).default(50e9),
  }),
  access: z.union([z.literal('open'), networks], { error: 'open, or a map with the key networks' }).optional(),
  registries: dictionary('a map of registries by name', registryName, registry),
  catalogue: z.boolean({ error: 'true or false' }).default(true),
  hosts: dictionary('a map of host names to registries', host, registryName),
  resolve: dictionary(
    'a map of host names to ip:port',
    pinnedHost,
    value('ip:port, such as 203.0.113.7:443', parsePin),
  ),
  admin: section({
    listen: value('host:port on the loopback, such as 127.0.0.1:5051', (found) => {
      const address = parseAddress(found);
      return address !== undefined && isLoopback(address) ? address : undefined;
    }).optional(),
  }),
  log: section({
    level: z.enum(logLevels, { error: `one of ${logLevels.join(', ')}` }).default('info'),
  }),
  stop_within: value('a duration of at most 1h, such as 30s', (found) => {
    const ms = parseDuration(found);
    return ms !== undefined && ms <= longestStop ? ms : undefined;
  }).default(30_000),
});

export type Settings = z.infer<typeof schema>;
export type RegistrySettings = z.infer<typeof registry>;
