// The composition root: a configuration becomes a running mirror.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Guesses } from '../core/access/guesses.ts';
import { Limits } from '../core/door/limits.ts';
import type { Report } from '../core/mirror/events.ts';
import { HotManifests } from '../core/mirror/hot.ts';
import type { Underway } from '../core/mirror/blob-flights.ts';
import type { Clock } from '../core/mirror/ports.ts';
import { Bcrypt } from './bcrypt.ts';
import { Certificate } from './certificate.ts';
import { adminPages } from './http/admin.ts';
import { atOnce, changedKeys } from './config/changes.ts';
import type { Config } from './config/config.ts';
import { type Address, formatAddress, isLoopback, isLoopbackHost } from './config/address.ts';
import { clock as systemClock, every } from './clock.ts';
import { Dialling } from './dialling.ts';
import { openForwardProxy } from './forward-proxy.ts';
import type { Log } from './log/log.ts';
import type { Face } from './http/listener.ts';
import { openSendfile, type Sendfile } from './http/sendfile.ts';
import type { ServerParts } from './http/server.ts';
import type { Lasting } from './serving.ts';
import { createStatus } from './status.ts';
import { openSoonerOrLater } from './store/late.ts';
import type { StoreLimits } from './store/store.ts';
import { toldOnce } from './store/troubles.ts';
import { version } from './version.ts';

export interface App {
  /** Where it really listens: `host:port`. */
  readonly address: string;
  /** Where the pages for administrators are, if that is another address. */
  readonly adminAddress: string | undefined;
  /** Where the forward proxy is, if there is one. */
  readonly proxyAddress: string | undefined;
  /**
   * What has changed counts for requests that come from now on; of what cannot change while it runs, and of what `read` throws,
   * the log tells. Never rejects.
   */
  reload(read: () => Promise<Config>): Promise<void>;
  /** Lets running replies finish, within the configured limit. */
  close(): Promise<void>;
}

/** What is not configured. */
export interface Around {
  /** Whoever else hears of every event. */
  readonly heardBy?: Report;
  readonly clock?: Clock;
}

const day = 86_400_000;
/** Milliseconds that the store has to close; a disk that hangs longer costs the next start a look through the blobs. */
const storeWithin = 5000;

const now = (): number => Date.now();

/** Throws if an address or, for another reason than a disk that fails, the data directory cannot be had; then nothing is left open. */
export async function startApp(config: Config, log: Log, { heardBy, clock = systemClock }: Around = {}): Promise<App> {
  const certificate = config.tls && (await Certificate.open(config.tls));
  const listeners: Report[] = heardBy === undefined ? [log.report] : [log.report, heardBy];
  const report = toldOnce((event) => {
    for (const listener of listeners) listener(event);
  }, clock);
  // All that answers is loaded while the book's thread starts.
  const [store, { createServing }, { createServer }, { createMetrics }] = await Promise.all([
    openSoonerOrLater({ dir: config.data, clock, report, ...limitsOf(config) }),
    import('./serving.ts'),
    import('./http/server.ts'),
    import('./metrics.ts'),
  ]);
  const dialling = new Dialling(clock);
  const bcrypt = new Bcrypt();
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
    await Promise.all([dialling.close(), bcrypt.close()]);
  }

  const underway: Underway = new Map();
  const lasting: Lasting = {
    store,
    underway,
    manifests: new HotManifests(),
    guesses: new Guesses(now),
    limits: new Limits({ now: () => performance.now(), every, report }),
    compareHash: bcrypt.compare,
    dialling,
    clock,
    report,
    closing: closing.signal,
  };
  let serving = createServing(config, lasting);

  const usage = () => store.usage();
  const fills = () => underway.size;
  let listen = formatAddress(config.listen);
  const proxy = await openForwardProxy(config, { serving: () => serving, report, clock, every });
  const tunnels = () => proxy?.open() ?? 0;
  const budgets = () => serving.budgets();
  const label = (registry: string) => serving.registries.configuredAs(registry) ?? 'none';
  const metrics = createMetrics({ label, usage, fills, tunnels, budgets });
  const status = createStatus({
    version,
    listen: () => listen,
    registries: () => serving.config.registries,
    usage,
    fills,
    tunnels,
    budgets,
    now,
  });
  listeners.push(metrics.report, status.report);
  if (proxy?.learn !== undefined) listeners.push(proxy.learn);

  /** What runs goes on with what it began with. */
  function apply(next: Config): void {
    const applied = atOnce(serving.config, next);
    const changed = changedKeys(serving.config, applied);
    if (changed.length > 0) serving = createServing(applied, lasting);
    store.adjust(limitsOf(applied));
    log.setLevel(applied.log.level);
    report({ kind: 'reloaded', changed, later: changedKeys(applied, next) });
  }

  let reloading = Promise.resolve();
  /** One after the other: what is read last counts. */
  function reload(read: () => Promise<Config>): Promise<void> {
    const one = async () => {
      const next = await read();
      if (!stopping) apply(next);
    };
    reloading = reloading.then(one).catch((error: unknown) => report({ kind: 'not-reloaded', error }));
    return reloading;
  }

  const parts: ServerParts = {
    serving: () => serving,
    report,
    clock,
    admin: adminPages(metrics, status.status),
    adminHere: isLoopback(config.listen),
    adminFor: isLoopbackHost,
    isLocal: (host) => isLoopback({ host, port: 0 }),
    ready: () => !stopping,
    sendfile: config.sendfile ? await findSendfile(log) : undefined,
  };
  async function open(at: Address, face: Face): Promise<string> {
    close.push(() => face.close(serving.config.stopWithin));
    return listenOn(face, at);
  }

  try {
    const admin = () => createServer({ ...parts, adminHere: true });
    const adminAddress = config.admin && (await open(config.admin.listen, admin()));
    const proxyAddress = config.proxy && proxy && (await open(config.proxy.listen, proxy));
    listen = await open(config.listen, createServer({ ...parts, tls: certificate }));
    void certificate?.watch(clock, log, closing.signal);
    return { address: listen, adminAddress, proxyAddress, reload, close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function findSendfile(log: Log): Promise<Sendfile | undefined> {
  try {
    return await openSendfile();
  } catch (error) {
    log.debug('files go out through buffers: there is no sendfile', { error });
    return undefined;
  }
}

function limitsOf({ storage, registries }: Config): StoreLimits {
  // A tag that may still be served stale must not be forgotten.
  const forgetAfter = Math.max(30 * day, ...registries.map(({ staleFor }) => staleFor));
  return { limit: storage.limit, scrubEvery: storage.scrub, forgetAfter };
}

async function listenOn({ server }: Face, { host, port }: Address): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  return formatAddress({ host, port: portOf(server) });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
