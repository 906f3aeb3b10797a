// What Prometheus reads: counted from events, the store's size asked when it reads. No label carries a name that clients choose.
import { Registry } from 'prom-client';
import type { Report } from '../core/mirror/events.ts';
import { addBudgets, type ShownBudget } from './budgets.ts';
import { Instruments } from './instruments.ts';
import type { Usage } from './store/store.ts';
import { version } from './version.ts';

// As in http/builtin.ts: not by name.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

export interface MetricsParts {
  /** The registry as a label: its configured name or pattern, of which there are only so many. */
  readonly label: (registry: string) => string;
  readonly usage: () => Usage;
  /** Downloads under way. */
  readonly fills: () => number;
  /** Of the forward proxy, open just now. */
  readonly tunnels: () => number;
  /** What registries allow us, as far as they have told. */
  readonly budgets: () => readonly ShownBudget[];
}

export interface Metrics {
  readonly report: Report;
  /** The media type of the text. */
  readonly type: string;
  readonly text: () => Promise<string>;
}

type Label = MetricsParts['label'];

export function createMetrics({ label, usage, fills, tunnels, budgets }: MetricsParts): Metrics {
  const register = new Registry();
  const make = new Instruments(register);
  const listeners = [
    countPulls(make, label),
    countUpstream(make, label),
    countCache(make, label),
    countProxy(make, label),
    countReloads(make),
    countLimits(make),
  ];
  addStore(make, usage);
  make.gauge('sampan_fills', 'Downloads of blobs into the store that are under way.', fills);
  make.gauge('sampan_proxy_tunnels', 'Clients whose bytes go through the forward proxy just now.', tunnels);
  addBudgets(make, label, budgets);
  addProcess(make);
  return {
    report: (event) => {
      for (const listener of listeners) listener(event);
    },
    type: register.contentType,
    text: () => register.metrics(),
  };
}

function countPulls(make: Instruments, label: Label): Report {
  const pulls = make.counter('sampan_pulls_total', 'Replies to clients.', ['what', 'registry', 'outcome', 'status']);
  const bytes = make.counter('sampan_served_bytes_total', 'Bytes of bodies sent to clients.', ['registry']);
  const poured = make.counter(
    'sampan_served_by_sendfile_bytes_total',
    'Those of them that the kernel moved from the disk to the client by itself.',
    ['registry'],
  );
  const seconds = make.histogram('sampan_pull_seconds', 'From a request to the end of its reply.', ['what', 'outcome']);
  const help = 'Replies that came to no end: the client left, or sampan had to cut it off.';
  const broken = make.counter('sampan_broken_pulls_total', help, ['what', 'registry', 'by']);
  const byTls = make.counter('sampan_requests_by_tls_total', 'Requests of clients, by their version of TLS.', [
    'version',
  ]);
  return (event) => {
    if (event.kind !== 'served' || event.what === 'page') return;
    const { what, outcome, tls } = event;
    byTls.inc({ version: tls });
    const registry = event.registry === undefined ? 'none' : label(event.registry);
    pulls.inc({ what, registry, outcome, status: `${Math.floor(event.status / 100)}xx` });
    bytes.inc({ registry }, event.bytes);
    poured.inc({ registry }, event.poured);
    seconds.observe({ what, outcome }, event.ms / 1000);
    if (!event.whole) broken.inc({ what, registry, by: event.error === undefined ? 'client' : 'sampan' });
  };
}

function countUpstream(make: Instruments, label: Label): Report {
  const labels = ['registry', 'what', 'method', 'status'] as const;
  const requests = make.counter('sampan_upstream_requests_total', 'Requests to upstreams.', labels);
  const help = 'From a request to an upstream to the head of its answer.';
  const seconds = make.histogram('sampan_upstream_seconds', help, ['registry', 'what']);
  const bytes = make.counter('sampan_upstream_bytes_total', 'Bytes that came from upstreams.', ['registry']);
  const breaks = make.counter(
    'sampan_upstream_breaks_total',
    'Bodies of blobs that broke off, stalled or were too long; what was missing was asked for again.',
    ['registry', 'why'],
  );
  return (event) => {
    if (event.kind === 'broke') breaks.inc({ registry: label(event.registry), why: event.why });
    if (event.kind === 'received') bytes.inc({ registry: label(event.registry) }, event.bytes);
    if (event.kind !== 'asked') return;
    const { what, method } = event;
    const registry = label(event.registry);
    requests.inc({ registry, what, method, status: statusLabel(event.status) });
    seconds.observe({ registry, what }, event.ms / 1000);
  };
}

/** An upstream may answer with any number, and each would be a time series. */
function statusLabel(status: number | undefined): string {
  if (status === undefined) return 'none';
  return status in STATUS_CODES ? String(status) : 'other';
}

function countCache(make: Instruments, label: Label): Report {
  const stored = make.counter('sampan_stored_blobs_total', 'Blobs that were brought in.');
  const kept = make.counter(
    'sampan_kept_bytes_total',
    'Bytes that a broken download had left and nobody fetched again.',
  );
  const failed = make.counter('sampan_fill_failures_total', 'Blobs that could not be brought in.');
  const evicted = make.counter('sampan_evicted_blobs_total', 'Blobs that had to make room.');
  const evictedBytes = make.counter('sampan_evicted_bytes_total', 'Bytes of blobs that had to make room.');
  const bad = make.counter('sampan_bad_blobs_total', 'Blobs that turned bad on the disk.', ['found']);
  const stale = make.counter(
    'sampan_stale_total',
    'Times that what is held was served because the upstream could not answer.',
    ['registry'],
  );
  const trouble = make.counter(
    'sampan_trouble_total',
    'Times that the cache did not work and pulls went on without it.',
    ['where'],
  );
  const inTrouble = make.gauges('sampan_in_trouble', '1 while the cache does not work as it should.', ['where']);
  for (const where of ['store', 'book'] as const) inTrouble.set({ where }, 0);
  const bugs = make.counter('sampan_bugs_total', 'Errors that nobody thought of.');
  const ahead = make.counter('sampan_ahead_fills_total', 'Layers fetched before anybody asked for them.', ['registry']);
  const foreseen = make.counter('sampan_ahead_used_total', 'Of those, layers that a client then asked for.', [
    'registry',
  ]);
  return (event) => {
    if (event.kind === 'fill' && event.ahead) ahead.inc({ registry: label(event.repository.registry) });
    if (event.kind === 'foreseen') foreseen.inc({ registry: label(event.repository.registry) });
    if (event.kind === 'stored') stored.inc();
    if (event.kind === 'stored') kept.inc(event.kept);
    if (event.kind === 'fill-failed') failed.inc();
    if (event.kind === 'evicted') evicted.inc();
    if (event.kind === 'evicted') evictedBytes.inc(event.size);
    if (event.kind === 'bad-blob') bad.inc({ found: event.found });
    if (event.kind === 'stale') stale.inc({ registry: label(event.repository.registry) });
    if (event.kind === 'trouble') trouble.inc({ where: event.where }, event.times ?? 1);
    if (event.kind === 'trouble') inTrouble.set({ where: event.where }, 1);
    if (event.kind === 'recovered') inTrouble.set({ where: event.where }, 0);
    if (event.kind === 'bug') bugs.inc();
  };
}

function countReloads(make: Instruments): Report {
  const reloads = make.counter('sampan_config_reloads_total', 'Times that the configuration was read anew.', [
    'outcome',
  ]);
  return (event) => {
    if (event.kind === 'reloaded') reloads.inc({ outcome: event.changed.length > 0 ? 'applied' : 'unchanged' });
    if (event.kind === 'not-reloaded') reloads.inc({ outcome: 'refused' });
  };
}

function countLimits(make: Instruments): Report {
  const help = 'Requests, bodies and blobs that had to wait because their client had reached a limit, or were refused.';
  const limited = make.counter('sampan_limited_total', help, ['by', 'outcome']);
  return (event) => {
    if (event.kind === 'limited') limited.inc({ by: event.by, outcome: event.refused ? 'refused' : 'waited' });
  };
}

function countProxy(make: Instruments, label: Label): Report {
  const labels = ['how', 'registry', 'ended'] as const;
  const passed = make.counter('sampan_proxy_passed_total', 'What went through the forward proxy and is over.', labels);
  const help = 'Bytes that went through the forward proxy.';
  const bytes = make.counter('sampan_proxy_bytes_total', help, ['registry', 'direction']);
  const refused = make.counter('sampan_proxy_refused_total', 'What the forward proxy refused.', ['status']);
  return (event) => {
    if (event.kind === 'refused') refused.inc({ status: statusLabel(event.status) });
    if (event.kind !== 'passed') return;
    const { how, ended } = event;
    const registry = event.registry === undefined ? 'other' : label(event.registry);
    passed.inc({ how, registry, ended });
    bytes.inc({ registry, direction: 'sent' }, event.sent);
    bytes.inc({ registry, direction: 'received' }, event.received);
  };
}

function addStore(make: Instruments, usage: () => Usage): void {
  make.gauge('sampan_store_bytes', 'Bytes of the blobs in the store.', () => usage().bytes);
  make.gauge(
    'sampan_store_reserved_bytes',
    'Bytes for blobs on their way in, and of those that broke off on it.',
    () => usage().reserved,
  );
  make.gauge('sampan_store_limit_bytes', 'Bytes that the store may hold.', () => usage().limit ?? Infinity);
  make.gauge('sampan_store_blobs', 'Blobs in the store.', () => usage().blobs);
}

/** Those of the customary process metrics that cost nothing to keep. */
function addProcess(make: Instruments): void {
  const started = Math.floor(Date.now() / 1000 - process.uptime());
  make.gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => started);
  make.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  make.gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed);
  make.total('process_cpu_seconds_total', 'Processor time, user and system.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  make.fact('sampan_build_info', 'Which sampan, under which Node.', { version, node: process.version });
}
