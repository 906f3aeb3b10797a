// A mirror with everything real around it but the clock: the disk store, the upstream client, and a registry with levers.
import { createHash, createHmac } from 'node:crypto';
import { readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Account } from '../../../src/core/access/accounts.ts';
import type { Access } from '../../../src/core/access/admit.ts';
import type { Rules } from '../../../src/core/access/rules.ts';
import type { Underway } from '../../../src/core/mirror/blob-flights.ts';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { Mirror } from '../../../src/core/mirror/mirror.ts';
import type { AheadLimits } from '../../../src/core/mirror/parts.ts';
import type { BlobStore, Book, Clock, DigestOf } from '../../../src/core/mirror/ports.ts';
import type { Reply } from '../../../src/core/mirror/reply.ts';
import { parsePull } from '../../../src/core/oci/pull.ts';
import { Registries, type Registry } from '../../../src/core/upstream/registries.ts';
import { createUpstream } from '../../../src/core/upstream/registry.ts';
import { createFetch } from '../../../src/node/fetch.ts';
import { type Store, openStore } from '../../../src/node/store/store.ts';
import { toldOnce } from '../../../src/node/store/troubles.ts';
import { Alarms } from '../../fakes/alarms.ts';
import { type FakeRegistry, startRegistry } from '../../fakes/registry/registry.ts';

/** A clock that a test moves. Nobody sleeps: a wait is over when it begins. */
export class TestClock implements Clock {
  time = 1_750_000_000_000;
  readonly #alarms = new Alarms(() => this.time);
  readonly alarm = this.#alarms.alarm;
  now = (): number => this.time;
  sleep = async (ms: number): Promise<void> => {
    this.time += ms;
  };
  forward(ms: number): void {
    this.time += ms;
    this.#alarms.ring();
  }
}

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

export interface Told {
  readonly status: number;
  readonly headers: Reply['headers'];
  readonly body: Buffer;
  readonly text: string;
  /** The first error's code, if the body is an OCI error. */
  readonly code: string | undefined;
}

export interface World {
  readonly registry: FakeRegistry;
  /** The data directory. */
  readonly dir: string;
  readonly clock: TestClock;
  readonly events: MirrorEvent[];
  readonly mirror: Mirror;
  readonly store: Store;
  /** Requests that the registry got since this was last called: `HEAD /v2/…`. */
  asked(): string[];
  /** Names an origin that the registry may redirect to. */
  allowRedirects(origin: string): void;
  start(path: string, options?: Asking): Promise<Reply>;
  get(path: string, options?: Asking): Promise<Told>;
  head(path: string, options?: Asking): Promise<Told>;
  /** Resolves when no fill is under way: a reader may have all its bytes before they are in their place. */
  settled(): Promise<void>;
  /** A new mirror over the same data, as after a restart. */
  restart(): Promise<void>;
}

interface Asking {
  readonly method?: string;
  readonly range?: string;
  readonly ifNoneMatch?: string;
  readonly ifRange?: string;
  readonly authorization?: string;
  readonly account?: Account;
  readonly address?: string;
  readonly signal?: AbortSignal;
}

interface Options {
  readonly access?: Access;
  readonly rules?: Rules;
  readonly limit?: number;
  /** Nothing is fetched ahead if nobody says. */
  readonly ahead?: AheadLimits;
  /** Connections that a fill may have at once. */
  readonly lanes?: number;
  /** False: a mirror without store and book. */
  readonly holds?: boolean;
  /** Puts something before the store. */
  readonly store?: (blobs: BlobStore) => BlobStore;
  readonly book?: (book: Book) => Book;
  readonly underway?: Underway;
  /** Further endpoints, asked after the world's own registry. Whoever started them ends them. */
  readonly beside?: readonly FakeRegistry[];
  /** What else is said of the registry. */
  readonly entry?: Partial<Registry>;
  /** The data directory, empty; one of its own if none is given. */
  readonly dir?: string;
}

const never = new AbortController().signal;

/** Ends with the test file. */
export async function world(options: Options = {}): Promise<World> {
  const registry = await startRegistry();
  const { beside = [] } = options;
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'sampan-mirror-')));
  const clock = new TestClock();
  const events: MirrorEvent[] = [];
  const filling = new Set<string>();
  const waiting: (() => void)[] = [];
  const report = toldOnce((event: MirrorEvent) => {
    events.push(event);
    if (event.kind === 'fill') filling.add(event.digest);
    if (event.kind === 'stored' || event.kind === 'fill-failed') filling.delete(event.digest);
    if (filling.size === 0) for (const wake of waiting.splice(0)) wake();
  }, clock);
  const redirects: string[] = [];
  const entry = {
    aliases: [],
    mirrors: [],
    realms: [],
    redirects,
    cdns: [],
    endpoints: [registry, ...beside].map(({ url }) => url),
  };
  const registries = new Registries([{ ...entry, ...options.entry, name: 'docker.io' }], {});
  const digest: DigestOf = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex');
  const newHasher = (algorithm: string) => {
    const hash = createHash(algorithm);
    return { update: (bytes: Uint8Array) => void hash.update(bytes), hex: () => hash.digest('hex') };
  };
  const dialled = createFetch();
  const upstream = createUpstream({
    fetch: dialled.fetch,
    registries,
    clock,
    random: () => 0,
    digest,
    version: '0.0.0',
    stalls: { alarm: clock.alarm, after: () => 10 * second },
    registrableDomain: () => undefined,
    report,
  });
  const closing = new AbortController();

  async function open(): Promise<{ store: Store; mirror: Mirror }> {
    const store = await openStore({ dir, limit: options.limit, clock, report });
    const blobs = options.store?.(store.blobs) ?? store.blobs;
    const held = options.holds === false ? {} : { store: blobs, book: options.book?.(store.book) ?? store.book };
    const mirror = new Mirror({
      upstream,
      ...held,
      ...(options.underway && { underway: options.underway }),
      access: options.access ?? { kind: 'open' },
      rules: options.rules ?? [],
      clock,
      digest,
      newHasher,
      mac: (text) => createHmac('sha256', 'of the test').update(text).digest(),
      freshness: () => ({ freshFor: minute, staleFor: 24 * hour }),
      ahead: options.ahead ?? { flights: 0, bytes: Infinity },
      lanes: () => options.lanes ?? 4,
      credentialed: () => options.entry?.credentials !== undefined,
      report,
      closing: closing.signal,
    });
    return { store, mirror };
  }

  let parts = await open();
  let seen = 0;
  after(async () => {
    closing.abort();
    await parts.store.close();
    await dialled.close();
    await registry.down();
    await rm(dir, { recursive: true, force: true });
  });

  function start(path: string, asking: Asking = {}): Promise<Reply> {
    const {
      method = 'GET',
      range,
      ifNoneMatch,
      ifRange,
      authorization,
      account,
      address = '127.0.0.1',
      signal = never,
    } = asking;
    const pull = parsePull({ method, target: path, host: 'mirror.example', range, ifNoneMatch, ifRange }, registries);
    const caller = { address, ...(account && { account }), ...(authorization !== undefined && { authorization }) };
    return parts.mirror.pull(pull, caller, signal);
  }
  async function get(path: string, asking: Asking = {}): Promise<Told> {
    return collect(await start(path, asking));
  }

  return {
    registry,
    dir,
    clock,
    events,
    get mirror() {
      return parts.mirror;
    },
    get store() {
      return parts.store;
    },
    asked() {
      const log = registry.log.slice(seen).map(({ method, path }) => `${method} ${path}`);
      seen = registry.log.length;
      return log;
    },
    allowRedirects: (origin) => void redirects.push(origin),
    start,
    get,
    settled: () => (filling.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    head: (path, asking) => get(path, { ...asking, method: 'HEAD' }),
    async restart() {
      await parts.store.close();
      parts = await open();
    },
  };
}

/** Reads a reply to its end, as a face would send it. */
export async function collect(reply: Reply): Promise<Told> {
  const body = Buffer.concat(await chunks(reply));
  const text = body.toString();
  const isError = reply.status >= 400 && body.length > 0;
  const code = isError ? (JSON.parse(text) as { errors: { code: string }[] }).errors[0]?.code : undefined;
  return { status: reply.status, headers: reply.headers, body, text, code };
}

async function chunks({ body }: Reply): Promise<Buffer[]> {
  if (body.kind === 'none') return [];
  if (body.kind === 'bytes') return [Buffer.from(body.bytes)];
  if (body.kind === 'stream') {
    const all: Buffer[] = [];
    for await (const chunk of body.stream) all.push(Buffer.from(chunk));
    return all;
  }
  const { offset, length } = body.range ?? { offset: 0, length: body.file.size };
  const bytes = Buffer.alloc(length);
  const read = length === 0 ? 0 : readSync(body.file.descriptor, bytes, 0, length, offset);
  if (read < length) body.file.suspect?.();
  body.file.close();
  if (read < length) throw new CutOff();
  return [bytes];
}

/** What a face does when a file ends before the length that its head told. */
export class CutOff extends Error {}
