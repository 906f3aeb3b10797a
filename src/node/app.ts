// The composition root: a configuration becomes a running mirror.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getDomain } from 'tldts';
import { Accounts } from '../core/access/accounts.ts';
import { Guesses } from '../core/access/guesses.ts';
import { Door } from '../core/door/door.ts';
import type { Report } from '../core/mirror/events.ts';
import { Mirror } from '../core/mirror/mirror.ts';
import type { Clock, DigestOf, NewHasher } from '../core/mirror/ports.ts';
import { Registries } from '../core/upstream/registries.ts';
import { createUpstream } from '../core/upstream/registry.ts';
import { adminPages } from './http/admin.ts';
import { settingsIn } from '../config/registries.ts';
import type { Config } from './config/config.ts';
import { type Address, formatAddress, isLoopback, isLoopbackHost } from './config/address.ts';
import { createFetch, usualTimeouts } from './fetch.ts';
import type { Log } from './log/log.ts';
import { createMetrics } from './metrics.ts';
import { type Face, type ServerParts, createServer } from './http/server.ts';
import { createMac } from './mac.ts';
import { createStatus } from './status.ts';
import { openSoonerOrLater } from './store/late.ts';
import { toldOnce } from './store/troubles.ts';
import { version } from './version.ts';

export interface App {
  /** Where it really listens: `host:port`. */
  readonly address: string;
  /** Where the pages for administrators are, if that is another address. */
  readonly adminAddress: string | undefined;
  /** Lets running replies finish, within the configured limit. */
  close(): Promise<void>;
}

const day = 86_400_000;
/** What a manifest lists may cost a quarter of what is kept, and no more, before anybody asks for it. */
const aheadShare = 4;
/** Milliseconds that the store has to close; a disk that hangs longer costs the next start a look through the blobs. */
const storeWithin = 5000;

const now = (): number => Date.now();

const clock: Clock = {
  now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

const newHasher: NewHasher = (algorithm) => {
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
};

const digest: DigestOf = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex');

/** Throws if an address or, for another reason than a disk that fails, the data directory cannot be had; then nothing is left open. */
export async function startApp(config: Config, log: Log): Promise<App> {
  const listeners: Report[] = [log.report];
  const report = toldOnce((event) => {
    for (const listener of listeners) listener(event);
  }, clock);
  // A tag that may still be served stale must not be forgotten.
  const forgetAfter = Math.max(30 * day, ...config.registries.map(({ staleFor }) => staleFor));
  const { limit, scrub: scrubEvery } = config.storage;
  const store = await openSoonerOrLater({ dir: config.data, limit, clock, report, forgetAfter, scrubEvery });
  const registries = new Registries(config.registries, config.hosts);
  // The transport's own limit is for what nobody else has an eye on.
  const idle = Math.max(usualTimeouts.idle, ...config.registries.map(({ stallAfter }) => 2 * stallAfter));
  const dialled = createFetch({ resolve: config.resolve, timeouts: { idle } });
  const closing = new AbortController();
  const close: (() => Promise<unknown>)[] = [];
  let stopping = false;

  /** First no more requests, then no more upstreams, then the store: each needs what comes after it. */
  async function stop(): Promise<void> {
    stopping = true;
    await Promise.all(close.map((each) => each()));
    closing.abort(new Error('sampan is stopping'));
    const over = new AbortController();
    const late = clock.sleep(storeWithin, over.signal).then(
      () => report({ kind: 'trouble', where: 'store', doing: 'closing', error: new Error('it takes too long') }),
      () => {},
    );
    await Promise.race([store.close().finally(() => over.abort()), late]);
    await dialled.close();
  }

  const settings = settingsIn(config.registries, registries);
  const upstream = createUpstream({
    fetch: dialled.fetch,
    registries,
    clock,
    random: Math.random,
    digest,
    registrableDomain: (host) => getDomain(host, { allowPrivateDomains: true }) ?? undefined,
    version,
    stalls: {
      alarm: (ms, ring) => void setTimeout(ring, ms).unref(),
      after: (registry) => settings(registry).stallAfter,
    },
    report,
  });
  const mirror = new Mirror({
    upstream,
    access: config.access,
    store: store.blobs,
    book: store.book,
    clock,
    digest,
    newHasher,
    freshness: settings,
    lanes: (registry) => settings(registry).lanes,
    ahead: { flights: config.pullAhead, bytes: config.storage.limit / aheadShare },
    credentialed: (registry) => settings(registry).credentials !== undefined,
    report,
    closing: closing.signal,
  });

  const mac = config.key === undefined ? undefined : createMac(config.key);
  const door = new Door({
    access: config.access,
    accounts: mac && new Accounts(config.accounts, mac),
    mac,
    guesses: new Guesses(now),
    routing: registries,
    loginMode: (registry) => registries.find(registry)?.login,
    endpoints: (registry) => registries.find(registry)?.endpoints ?? [],
    relay: upstream.relay,
    now,
    pull: (pull, caller, signal) => mirror.pull(pull, caller, signal),
  });

  const usage = () => store.usage();
  const fills = () => mirror.fills;
  let listen = formatAddress(config.listen);
  const metrics = createMetrics({ label: (registry) => registries.configuredAs(registry) ?? 'none', usage, fills });
  const status = createStatus({
    version,
    listen: () => listen,
    registries: config.registries,
    usage,
    fills,
    now: Date.now,
  });
  listeners.push(metrics.report, status.report);

  const parts: ServerParts = {
    door,
    trustedPeers: config.trustedPeers,
    report,
    clock,
    admin: adminPages(metrics, status.status),
    adminHere: isLoopback(config.listen),
    adminFor: isLoopbackHost,
    ready: () => !stopping,
  };
  async function open(at: Address, with_: ServerParts): Promise<string> {
    const face = createServer(with_);
    close.push(() => face.close(config.stopWithin));
    return listenOn(face, at);
  }

  try {
    const adminAddress = config.admin && (await open(config.admin.listen, { ...parts, adminHere: true }));
    listen = await open(config.listen, parts);
    return { address: listen, adminAddress, close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listenOn({ server }: Face, { host, port }: Address): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  return formatAddress({ host, port: portOf(server) });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
