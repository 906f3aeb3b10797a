// What Prometheus reads after some events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorEvent } from '../../src/core/mirror/events.ts';
import { parseDigest } from '../../src/core/oci/digest.ts';
import type { ShownBudget } from '../../src/node/budgets.ts';
import { createMetrics, type Metrics } from '../../src/node/metrics.ts';
import { version } from '../../src/node/version.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const repository = { registry: 'eu-docker.pkg.dev', name: 'secret-team/x' };
const served: MirrorEvent = {
  kind: 'served',
  method: 'GET',
  path: '/v2/secret-team/secret-image/blobs/x',
  what: 'blob',
  registry: 'us-docker.pkg.dev',
  status: 206,
  outcome: 'hit',
  bytes: 100,
  poured: 0,
  ms: 50,
  address: '10.0.0.7',
  tls: 'TLSv1.2',
  whole: true,
};

function create(budgets: readonly ShownBudget[] = []): Metrics {
  return createMetrics({
    label: (registry) => (registry.endsWith('.pkg.dev') ? '*.pkg.dev' : registry),
    fills: () => 2,
    tunnels: () => 3,
    usage: () => ({ bytes: 10, reserved: 20, limit: 30, blobs: 4 }),
    budgets: () => budgets,
  });
}

async function after(...events: readonly MirrorEvent[]): Promise<readonly string[]> {
  const metrics = create();
  for (const event of events) metrics.report(event);
  return (await metrics.text()).split('\n');
}

function assertIncludes(lines: readonly string[], ...expected: readonly string[]): void {
  for (const line of expected) assert.ok(lines.includes(line), `${line} is missing:\n${lines.join('\n')}`);
}

test('pulls are counted by what, registry, outcome and class of status', async () => {
  const lines = await after(served, served, {
    ...served,
    registry: undefined,
    what: 'other',
    status: 404,
    outcome: 'none',
    bytes: 7,
  });
  assertIncludes(
    lines,
    'sampan_pulls_total{what="blob",registry="*.pkg.dev",outcome="hit",status="2xx"} 2',
    'sampan_pulls_total{what="other",registry="none",outcome="none",status="4xx"} 1',
    'sampan_served_bytes_total{registry="*.pkg.dev"} 200',
    'sampan_pull_seconds_count{what="blob",outcome="hit"} 2',
    'sampan_pull_seconds_sum{what="blob",outcome="hit"} 0.1',
  );
});

test('a reply without its end is counted by who broke it off, and our own pages are no pulls', async () => {
  const lines = await after(
    served,
    { ...served, whole: false },
    { ...served, whole: false, error: new Error('wrong bytes') },
    { ...served, whole: false, error: new Error('wrong bytes') },
    { ...served, what: 'page', registry: undefined, outcome: 'none' },
  );
  assertIncludes(
    lines,
    'sampan_broken_pulls_total{what="blob",registry="*.pkg.dev",by="client"} 1',
    'sampan_broken_pulls_total{what="blob",registry="*.pkg.dev",by="sampan"} 2',
  );
  assert.doesNotMatch(lines.join('\n'), /what="page"/);
});

test('upstreams are counted by registry, what, method and status', async () => {
  const asked = {
    kind: 'asked',
    registry: 'docker.io',
    host: 'registry-1.docker.io',
    what: 'manifest',
    method: 'HEAD',
    ms: 1000,
  } as const;
  const lines = await after(
    { ...asked, status: 429 },
    { ...asked, status: undefined, error: new Error('x') },
    { ...asked, status: 799 },
    { kind: 'received', registry: 'docker.io', bytes: 5 },
    { kind: 'broke', registry: 'docker.io', why: 'stall' },
  );
  assertIncludes(
    lines,
    'sampan_upstream_requests_total{registry="docker.io",what="manifest",method="HEAD",status="429"} 1',
    'sampan_upstream_requests_total{registry="docker.io",what="manifest",method="HEAD",status="none"} 1',
    'sampan_upstream_requests_total{registry="docker.io",what="manifest",method="HEAD",status="other"} 1',
    'sampan_upstream_seconds_count{registry="docker.io",what="manifest"} 3',
    'sampan_upstream_bytes_total{registry="docker.io"} 5',
    'sampan_upstream_breaks_total{registry="docker.io",why="stall"} 1',
  );
});

test('the forward proxy is counted by registry and end, and by no name that a client chose', async () => {
  const passed = {
    kind: 'passed',
    how: 'tunnel',
    address: '10.0.0.7',
    host: 'europe-docker.pkg.dev',
    registry: 'europe-docker.pkg.dev',
    sent: 10,
    received: 1000,
    ms: 1,
    ended: 'done',
  } as const;
  const refused = {
    kind: 'refused',
    address: '10.0.0.7',
    target: 'CONNECT a.example:443',
    status: 403,
    why: '',
  } as const;
  const lines = await after(
    passed,
    { ...passed, ended: 'idle', host: 'a.example', registry: undefined },
    refused,
    refused,
  );
  assertIncludes(
    lines,
    'sampan_proxy_tunnels 3',
    'sampan_proxy_passed_total{how="tunnel",registry="*.pkg.dev",ended="done"} 1',
    'sampan_proxy_passed_total{how="tunnel",registry="other",ended="idle"} 1',
    'sampan_proxy_bytes_total{registry="*.pkg.dev",direction="sent"} 10',
    'sampan_proxy_bytes_total{registry="*.pkg.dev",direction="received"} 1000',
    'sampan_proxy_refused_total{status="403"} 2',
  );
  assert.doesNotMatch(lines.join('\n'), /a\.example|europe/);
});

test('what happens to the cache is counted', async () => {
  const lines = await after(
    { kind: 'fill', repository, digest, ahead: true },
    { kind: 'fill', repository, digest, ahead: true },
    { kind: 'fill', repository, digest, ahead: false },
    { kind: 'foreseen', repository, digest },
    { kind: 'stored', digest, size: 1, kept: 0, ms: 1 },
    { kind: 'fill-failed', digest, error: undefined },
    { kind: 'evicted', digest, size: 9 },
    {
      kind: 'stale',
      repository,
      name: 'latest',
      error: undefined,
    },
    { kind: 'trouble', where: 'book', doing: 'read', error: undefined },
    { kind: 'trouble', where: 'store', doing: 'write', error: undefined, times: 12 },
    { kind: 'recovered', where: 'store' },
    { kind: 'bad-blob', digest, size: 1, found: 'scrubbing' },
    { kind: 'bug', error: undefined },
  );
  assertIncludes(
    lines,
    'sampan_ahead_fills_total{registry="*.pkg.dev"} 2',
    'sampan_ahead_used_total{registry="*.pkg.dev"} 1',
    'sampan_stored_blobs_total 1',
    'sampan_fill_failures_total 1',
    'sampan_evicted_blobs_total 1',
    'sampan_evicted_bytes_total 9',
    'sampan_stale_total{registry="*.pkg.dev"} 1',
    'sampan_trouble_total{where="book"} 1',
    'sampan_trouble_total{where="store"} 12',
    'sampan_in_trouble{where="book"} 1',
    'sampan_in_trouble{where="store"} 0',
    'sampan_bad_blobs_total{found="scrubbing"} 1',
    'sampan_bugs_total 1',
  );
});

test('the store and the process are asked when the metrics are read', async () => {
  const lines = await after();
  assertIncludes(
    lines,
    'sampan_store_bytes 10',
    'sampan_store_reserved_bytes 20',
    'sampan_store_limit_bytes 30',
    'sampan_store_blobs 4',
    'sampan_fills 2',
    `sampan_build_info{version="${version}",node="${process.version}"} 1`,
  );
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_start_time_seconds']) {
    assert.ok(
      lines.some((line) => line.startsWith(`${name} `) && Number(line.split(' ')[1]) > 0),
      name,
    );
  }
});

test('no repository, client or free host is in any line', async () => {
  assert.doesNotMatch((await after(served)).join('\n'), /secret|10\.0\.0\.7|us-docker/);
});

test('two sets of metrics know nothing of each other', async () => {
  const [one, other] = [create(), create()];
  one.report({ kind: 'bug', error: undefined });
  assert.match(await one.text(), /^sampan_bugs_total 1$/m);
  assert.match(await other.text(), /^sampan_bugs_total 0$/m);
  assert.match(one.type, /^text\/plain; version=0\.0\.4/);
});

test('what a limit kept waiting, and what it refused, is counted', async () => {
  const waited: MirrorEvent = { kind: 'limited', by: 'bytes', refused: false };
  assertIncludes(
    await after(waited, waited, { kind: 'limited', by: 'requests', refused: true }),
    'sampan_limited_total{by="bytes",outcome="waited"} 2',
    'sampan_limited_total{by="requests",outcome="refused"} 1',
  );
});

test('what registries allow is told by the place of an account and not by its name, the least of what shares a label, and else nothing', async () => {
  assert.doesNotMatch(await create().text(), /^sampan_upstream_budget_\w+\{/m);
  const anonymous = { endpoint: 'https://x', account: undefined, place: undefined, asOf: 0, restsUntil: undefined };
  const limit = { limit: 200, window: 21_600, source: undefined };
  const acme = { ...anonymous, registry: 'docker.io', account: 'acme-name', place: 2 };
  const metrics = create([
    { ...acme, told: { ...limit, remaining: 150, renewed: 5000 } },
    { ...anonymous, registry: 'a.pkg.dev', told: { ...limit, remaining: 3, renewed: 7000 } },
    { ...anonymous, registry: 'b.pkg.dev', told: { ...limit, remaining: 8, renewed: 9000 } },
    { ...anonymous, registry: 'quay.io', told: undefined, restsUntil: 3000 },
  ]);
  const text = await metrics.text();
  assert.doesNotMatch(text, /acme-name|quay/);
  assertIncludes(
    text.split('\n'),
    'sampan_upstream_budget_limit{registry="docker.io",credential="2"} 200',
    'sampan_upstream_budget_remaining{registry="docker.io",credential="2"} 150',
    'sampan_upstream_budget_remaining{registry="*.pkg.dev",credential="anonymous"} 3',
    'sampan_upstream_budget_renewed_timestamp_seconds{registry="*.pkg.dev",credential="anonymous"} 7',
  );
});
