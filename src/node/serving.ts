// What is made of a configuration and swapped as a whole when that changes: who may pull, from where, and how that is asked.
// Each pull has the same one from its beginning to its end, and what it began goes on with that.
import { createHash, randomBytes } from 'node:crypto';
import { getDomain } from 'tldts';
import { Accounts } from '../core/access/accounts.ts';
import type { Guesses } from '../core/access/guesses.ts';
import { type CompareHash, Passwords } from '../core/access/passwords.ts';
import type { Network } from '../core/access/networks.ts';
import type { Caller } from '../core/access/caller.ts';
import { Door } from '../core/door/door.ts';
import type { IdentityParts } from '../core/door/identity.ts';
import type { Limit, Pace } from '../core/door/limit.ts';
import type { Limits } from '../core/door/limits.ts';
import { type NoticeFor, noticesOf, type TlsPolicy } from '../core/edge/tls.ts';
import type { Report } from '../core/mirror/events.ts';
import type { HotManifests } from '../core/mirror/hot.ts';
import { Memory } from '../core/mirror/memory.ts';
import { Mirror } from '../core/mirror/mirror.ts';
import type { Underway } from '../core/mirror/blob-flights.ts';
import type { BlobStore, Book, Clock, DigestOf, NewHasher } from '../core/mirror/ports.ts';
import { Hosts } from '../core/upstream/hosts.ts';
import { Registries } from '../core/upstream/registries.ts';
import { createUpstream } from '../core/upstream/registry.ts';
import { settingsIn } from '../config/registries.ts';
import { type ShownBudget, shownBudgets } from './budgets.ts';
import type { Config } from './config/config.ts';
import type { Dialling } from './dialling.ts';
import { createEdge } from './edge.ts';
import { createMac } from './mac.ts';
import { usualTimeouts } from './timeouts.ts';
import { version } from './version.ts';

/** What stays when the configuration changes. All that is remembered of upstreams beside it is learned again. */
export interface Lasting {
  readonly store: { readonly blobs: BlobStore; readonly book: Book };
  /** So that no digest is fetched twice at once. */
  readonly underway: Underway;
  readonly manifests: HotManifests;
  readonly guesses: Guesses;
  readonly limits: Limits;
  readonly compareHash: CompareHash;
  readonly dialling: Dialling;
  readonly clock: Clock;
  readonly report: Report;
  readonly closing: AbortSignal;
}

export interface Serving {
  readonly config: Config;
  readonly registries: Registries;
  /** Whose accounts there are. */
  readonly identity: IdentityParts;
  readonly door: Door;
  /** What each client may ask. Undefined: as much as he likes. */
  readonly limit: Limit | undefined;
  /** How fast a client gets what does not pass the door. Undefined: as fast as can be. */
  readonly pace: (client: Caller) => Pace | undefined;
  readonly admins: IdentityParts | undefined;
  readonly mirror: Pick<Mirror, 'pull' | 'forget'>;
  /** What registries allow us, as far as they have told. */
  readonly budgets: () => readonly ShownBudget[];
  readonly trustedPeers: readonly Network[];
  /** Where clients of the forward proxy may go, and how what it opens goes out. */
  readonly hosts: Hosts;
  readonly outbound: ReturnType<Dialling['as']>;
  readonly edge: ReturnType<typeof createEdge> | undefined;
  readonly noticeFor: NoticeFor | undefined;
}

/** What a manifest lists may cost a quarter of what is kept, and no more, before anybody asks for it. */
const aheadShare = 4;

const newHasher: NewHasher = (algorithm) => {
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
};

const digest: DigestOf = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex');

export function createServing(config: Config, lasting: Lasting): Serving {
  const { store, underway, manifests, guesses, compareHash, limits, dialling, clock, report, closing } = lasting;
  const registries = new Registries(config.registries, config.hosts);
  const settings = settingsIn(config.registries, registries);
  // The transport's own limit is for what nobody else has an eye on.
  const idle = Math.max(usualTimeouts.idle, ...config.registries.map(({ stallAfter }) => 2 * stallAfter));
  const { resolve, dns, via } = config;
  const outbound = dialling.as({ resolve, dns, via, timeouts: { idle } });
  const upstream = createUpstream({
    fetch: outbound.fetch,
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
    rules: config.rules,
    store: store.blobs,
    book: store.book,
    clock,
    digest,
    newHasher,
    mac: createMac(randomBytes(32).toString('hex')),
    memory: new Memory(clock, manifests),
    underway,
    freshness: settings,
    lanes: (registry) => settings(registry).lanes,
    ahead: { flights: config.pullAhead, bytes: config.storage.limit / aheadShare },
    credentialed: (registry) => settings(registry).credentials !== undefined,
    report,
    closing,
  });
  const mac = config.key === undefined ? undefined : createMac(config.key);
  const identity: IdentityParts = {
    accounts: mac && new Accounts(config.accounts, mac),
    passwords: mac && config.passwords && new Passwords(config.passwords, mac, compareHash, () => clock.now()),
    guesses,
  };
  const limit = config.limits && limits.by(config.limits);
  const door = new Door({
    access: config.access,
    rules: config.rules,
    ...identity,
    mac,
    routing: registries,
    loginMode: (registry) => registries.find(registry)?.login,
    endpoints: (registry) => registries.find(registry)?.endpoints ?? [],
    relay: upstream.relay,
    now: () => clock.now(),
    limit,
    pull: (pull, caller, signal) => mirror.pull(pull, caller, signal),
  });
  const hosts = new Hosts(config.registries, config.proxy?.allow);
  return {
    config,
    registries,
    identity,
    door,
    limit,
    pace: (client) => config.limits && limits.paceOf(client, config.limits),
    admins: config.accounts.some(({ admin }) => admin === true) ? identity : undefined,
    mirror,
    budgets: () => shownBudgets(upstream.budgets(), clock.now()),
    trustedPeers: config.trustedPeers,
    hosts,
    outbound,
    edge: config.edge && createEdge(config.edge),
    noticeFor: config.tlsNotice && noticesOf(sinceNow(config.tlsNotice, clock)),
  };
}

/** Whoever does not say since when has deprecated them by now. */
function sinceNow({ since, ...policy }: TlsPolicy, clock: Clock): TlsPolicy {
  return { ...policy, since: since ?? Math.min(clock.now(), policy.sunset ?? Infinity) };
}
