// What is different in a configuration that was read anew, by the names of its keys, and what of it counts at once.
import { isDeepStrictEqual } from 'node:util';
import { isLoopback } from './address.ts';
import type { Config } from './config.ts';

/** What was opened at the start stays what it is until the next. */
export function atOnce(running: Config, next: Config): Config {
  const { listen, tls, data, sendfile, admin, sentry, proxy } = running;
  // Who may pull was written for where it listens: what is right on the loopback could let everybody in here.
  const isElsewhere = [
    [next.listen, listen],
    [next.proxy?.listen, proxy?.listen],
  ].some(([to, from]) => from !== undefined && !isLoopback(from) && (to === undefined || isLoopback(to)));
  const access = isElsewhere ? running.access : next.access;
  return { ...next, listen, tls, data, sendfile, admin, sentry, access, proxy: proxyAtOnce(proxy, next.proxy) };
}

/** Whether it learns was chosen for where it listens, if nobody said so; what it intercepts, an authority was opened for. */
function proxyAtOnce(running: Config['proxy'], next: Config['proxy']): Config['proxy'] {
  if (running === undefined || next === undefined) return running;
  const { listen, learn, intercept } = running;
  return { ...next, listen, learn, intercept };
}

/** `storage.limit`, `registries.docker.io`: as they are written, and never with a value. The catalogue's registries count as written. */
export function changedKeys(one: Config, other: Config): readonly string[] {
  return changed(flat(one), flat(other));
}

const writtenAs = new Map([
  ['trustedPeers', 'trusted_proxies'],
  ['tlsNotice', 'tls_notice'],
  ['passwords', 'htpasswd'],
  ['pullAhead', 'pull_ahead'],
  ['stopWithin', 'stop_within'],
]);
const sections = new Set(['tls', 'storage', 'proxy', 'limits', 'admin', 'log']);

function flat({ registries, ...others }: Config): ReadonlyMap<string, unknown> {
  return new Map([
    ...Object.entries(others).flatMap(([key, value]) =>
      sections.has(key) ? below(key, Object.entries(value ?? {})) : [[writtenAs.get(key) ?? key, value] as const],
    ),
    ...below(
      'registries',
      registries.map((registry) => [registry.name, registry]),
    ),
  ]);
}

function below(section: string, entries: readonly (readonly [string, unknown])[]): (readonly [string, unknown])[] {
  return entries.map(([key, value]) => [`${section}.${key}`, value]);
}

function changed(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): readonly string[] {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys].filter((key) => !isDeepStrictEqual(one.get(key), other.get(key)));
}
