// The forward proxy put together, with what it intercepts and what it learns, for whatever configuration holds just now.
import { identify } from '../core/door/identity.ts';
import type { Report } from '../core/mirror/events.ts';
import type { Clock } from '../core/mirror/ports.ts';
import type { Every } from '../core/oci/rounds.ts';
import { interceptedHosts } from '../core/upstream/hosts.ts';
import { isLoopback } from './config/address.ts';
import type { Config, ProxyConfig } from './config/config.ts';
import { Learned } from './proxy/learned.ts';
import type { OpenInterception, Opening } from './proxy/open-interception.ts';
import type { Rules } from './proxy/passages.ts';
import { createProxy, type Proxy } from './proxy/proxy.ts';
import { pseudonym } from './pseudonym.ts';
import type { Serving } from './serving.ts';

export interface ForwardProxy extends Proxy {
  /** What it learns from: to be told of all that happens. Undefined if it learns nothing. */
  readonly learn: Report | undefined;
}

export interface ForwardProxyParts {
  readonly serving: () => Serving;
  readonly report: Report;
  readonly clock: Clock;
  readonly every: Every;
}

/** Undefined if there shall be none. It is not listening yet. */
export async function openForwardProxy(config: Config, parts: ForwardProxyParts): Promise<ForwardProxy | undefined> {
  const { serving, report, clock, every } = parts;
  const { proxy: settings } = config;
  if (settings === undefined) return undefined;
  const configuredAs = (registry: string) => serving().registries.configuredAs(registry);
  const isConfigured = (registry: string) => configuredAs(registry) !== undefined;
  const learned = settings.learn ? new Learned(() => clock.now(), isConfigured) : undefined;
  const intercepted = new Set(settings.intercept);
  const interception = await openFor(config, settings, {
    mirror: {
      pull: (...asked) => serving().mirror.pull(...asked),
      forget: (reference) => serving().mirror.forget(reference),
    },
    ca: (host) => serving().hosts.find(host)?.ca,
    rules: () => serving().config.rules,
    dial: (...to) => serving().outbound.dial(...to),
    via: pseudonym,
    redirected: (address, host, registry) => learned?.note(address, host, registry),
    limit: (...asked) => serving().limit?.(...asked) ?? Promise.resolve(undefined),
    report,
    clock,
  });
  const proxy = createProxy({
    rules: () => rulesOf(serving(), settings, learned),
    intercept: interception && {
      take: interception.take,
      at: (registry, host) => intercepted.has(configuredAs(registry) ?? '') && interception.covers(host),
    },
    pseudonym,
    isOwner: (host) => isLoopback({ host, port: 0 }),
    report,
    clock,
    every,
  });
  return {
    ...proxy,
    learn: learned?.report,
    close: async (within) => void (await Promise.all([proxy.close(within), interception?.close(within)])),
  };
}

/** `settings`: for as long as the configuration has none. */
function rulesOf(
  { config, hosts, outbound, identity, pace }: Serving,
  settings: ProxyConfig,
  learned: Learned | undefined,
): Rules {
  const { tunnels, idle, longest } = config.proxy ?? settings;
  const find: Rules['find'] = (host, address) => hosts.find(host) ?? learned?.find(host, address);
  return {
    access: config.access,
    identify: (login, address) => identify(identity, login, address),
    ruled: config.rules.some(({ accounts }) => accounts !== undefined),
    find,
    pace,
    dial: outbound.dial,
    fetch: outbound.fetch,
    tunnels,
    idle,
    longest,
  };
}

/** Undefined if nothing is intercepted; then the library that this takes is not loaded. */
async function openFor(
  { data, registries }: Config,
  { intercept }: ProxyConfig,
  parts: Omit<Opening, 'data' | 'hosts'>,
): Promise<OpenInterception | undefined> {
  if (intercept.length === 0) return undefined;
  const { openInterception } = await import('./proxy/open-interception.ts');
  return openInterception({ ...parts, data, hosts: interceptedHosts(registries, intercept) });
}
