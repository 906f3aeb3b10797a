// The shape of the configuration: every key, what it must be, and what it is if nobody says.
import * as z from 'zod';
import { dictionary, filePath, list, section, text, value } from '../../config/fields.ts';
import { parseDuration, parseSize } from '../../config/quantity.ts';
import { sentryKeys } from '../../config/sentry.ts';
import { type Mask, secret, withoutLogin } from '../../config/secrets.ts';
import { parseByteRate, parseRate } from '../../config/rate.ts';
import { parseResolver } from '../../config/urls.ts';
import { accountKeys } from '../../config/accounts.ts';
import { someNetworks } from '../../config/networks.ts';
import { isHost, registryKeys, servingKeys } from '../../config/serving.ts';
import { parseAddress, parsePin, isLoopback } from './address.ts';
import { edge, tls } from './tls.ts';
import { parseVia } from './via.ts';

const logLevels = ['error', 'warn', 'info', 'debug'] as const;

const pinnedHost = z
  .string()
  .refine((found) => isHost(found) && !/:\d+$/.test(found), { error: 'a host in lower case, without a port' });

const lanes = value('a whole number from 1 to 16', (found) => whole(found, 1, 16));

function whole(found: unknown, least: number, most: number): number | undefined {
  return typeof found === 'number' && Number.isInteger(found) && found >= least && found <= most ? found : undefined;
}

const stallAfter = value('a duration from 1s to 5m, such as 10s', (found) => {
  const ms = parseDuration(found);
  return ms !== undefined && ms >= 1000 && ms <= 300_000 ? ms : undefined;
});

const variableName = text('the name of a variable');

/** Some resolvers know their customers by it. */
const withoutPath: Mask = (url) => url.replace(/(?<=[^/]\/)(?!\/|dns-query$).+$/s, '***');

/** Bytes a second. Some clients could take less for a mirror that hangs. */
const slowest = 100_000;
const longestStop = 3_600_000;
const shortestScrub = 3_600_000;
/** Who writes 50 means 50GB. */
const smallestStorage = 1e6;

/** A host, or every host below a domain; never an address, a port, or everything below a name without a dot. */
const hostRule = z
  .string()
  .refine((found) => /^(?:\*\.(?=.+\.))?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(found) && !/\.?\d+$/.test(found), {
    error: 'a host in lower case without a port, such as cdn.example.com, or "*.cdn.example.com"',
  });

const seconds = value('a duration of at least 1s, such as 10m', (found) => {
  const ms = parseDuration(found);
  return ms !== undefined && ms >= 1000 ? ms : undefined;
});

export const registry = section({
  ...registryKeys,
  cdns: list(hostRule, 'hosts').optional(),
  lanes: lanes.optional(),
  stall_after: stallAfter.optional(),
  ca: filePath('the path of a file with certificates in PEM').optional(),
});

/** With a password in `htpasswd` it needs no secret. */
const account = section({
  ...accountKeys,
  mac: accountKeys.mac.optional(),
  admin: z.boolean({ error: 'true or false' }).optional(),
});

export const schema = section({
  listen: value('host:port, such as 127.0.0.1:5050 or "[::1]:5050"', parseAddress).prefault('127.0.0.1:5050'),
  data: filePath('the path of a directory').default('data'),
  storage: section({
    limit: value('at least 1MB, as a number of bytes or with a unit, such as 50GB or 50GiB', (found) => {
      const bytes = parseSize(found);
      return bytes !== undefined && bytes >= smallestStorage ? bytes : undefined;
    }).prefault('50GB'),
    scrub: value('a duration of at least 1h, such as 30d, or off', (found) => {
      if (found === 'off') return found;
      const ms = parseDuration(found);
      return ms !== undefined && ms >= shortestScrub ? ms : undefined;
    }).prefault('30d'),
  }),
  sendfile: z.boolean({ error: 'true or false' }).default(true),
  ...servingKeys(registry, account),
  key_file: filePath().optional(),
  key_env: variableName.optional(),
  sentry: section({ ...sentryKeys, dsn_file: filePath().optional(), dsn_env: variableName.optional() }),
  htpasswd: filePath('the path of a file').optional(),
  trusted_proxies: someNetworks.optional(),
  tls,
  edge,
  resolve: dictionary(
    'a map of host names to ip:port',
    pinnedHost,
    value('ip:port, such as 203.0.113.7:443', parsePin),
  ),
  dns: secret(
    value(
      'the https URL of a resolver, such as https://dns.example/dns-query, without user, query or fragment',
      parseResolver,
    ),
    withoutPath,
  ).optional(),
  via: secret(
    value(
      'a proxy, such as http://proxy.lan:3128 or socks5://user:password@proxy.lan:1080 (what is special in a URL written %40 and the like)',
      parseVia,
    ),
    withoutLogin,
  ).optional(),
  via_file: filePath().optional(),
  via_env: variableName.optional(),
  pull_ahead: value('off, or a whole number from 0 to 16', (found) =>
    found === 'off' ? 0 : whole(found, 0, 16),
  ).default(3),
  proxy: section({
    listen: value('host:port, such as 127.0.0.1:8384', parseAddress).optional(),
    allow: list(hostRule, 'hosts').default([]),
    learn: z.boolean({ error: 'true or false' }).optional(),
    tunnels: value('a whole number from 1 to 65535', (found) => whole(found, 1, 65_535)).default(256),
    intercept: z
      .union([z.boolean(), list(z.string(), 'registries')], { error: 'true, false, or a list of registries' })
      .default(false),
    idle: seconds.prefault('10m'),
    longest: seconds.prefault('24h'),
  }),
  limits: section({
    requests: value('how many in how long, such as 20/s or 600/m', parseRate).optional(),
    bytes: value('at least 100KB/s, such as 50MB/s', (found) => {
      const rate = parseByteRate(found);
      return rate !== undefined && rate.amount >= slowest ? rate : undefined;
    }).optional(),
    pulls: value('a whole number from 1 to 10000', (found) => whole(found, 1, 10_000)).optional(),
    loopback: z.boolean({ error: 'true or false' }).default(false),
  }),
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
  }).prefault('30s'),
});

export type Settings = z.infer<typeof schema>;
