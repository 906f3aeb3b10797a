// The value of /_sampan/status.json.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorEvent } from '../../src/core/mirror/events.ts';
import { parseDigest } from '../../src/core/oci/digest.ts';
import type { ShownBudget } from '../../src/node/budgets.ts';
import { createStatus } from '../../src/node/status.ts';

const usage = { bytes: 10, reserved: 20, limit: 30, blobs: 4 };
const served: MirrorEvent = {
  kind: 'served',
  method: 'GET',
  path: '/v2/x/blobs/y',
  what: 'blob',
  registry: 'docker.io',
  status: 200,
  outcome: 'hit',
  bytes: 100,
  poured: 0,
  ms: 50,
  address: '10.0.0.7',
  tls: 'TLSv1.2',
  whole: true,
};

const limit = { limit: 200, remaining: 0, window: 21_600, source: undefined };

function board(budgets: readonly ShownBudget[] = []) {
  let now = 5000;
  const { report, status } = createStatus({
    version: '1.2.3',
    listen: () => '127.0.0.1:5050',
    registries: () => [
      {
        name: 'docker.io',
        endpoints: ['https://registry-1.docker.io/some/path', `https://sampan-${'0'.repeat(33)}.hub.test/docker.io`],
      },
    ],
    usage: () => usage,
    fills: () => 2,
    tunnels: () => 1,
    budgets: () => budgets,
    now: () => now,
  });
  return { report, status, sleep: (ms: number) => (now += ms) };
}

test('it tells who it is, what is served, what is held, and for how long it has run', () => {
  const { status, sleep } = board();
  sleep(61_999);
  assert.deepEqual(status(), {
    version: '1.2.3',
    uptime: 61,
    listen: '127.0.0.1:5050',
    registries: [{ name: 'docker.io', endpoints: ['https://registry-1.docker.io', 'https://sampan-….hub.test'] }],
    budgets: [],
    storage: usage,
    fills: 2,
    pulls: {
      total: 0,
      failed: 0,
      byOutcome: {
        hit: 0,
        stale: 0,
        miss: 0,
        collapsed: 0,
        forward: 0,
        'too-large': 0,
        pass: 0,
        'private-hit': 0,
        none: 0,
      },
      byTls: { TLSv1: 0, 'TLSv1.1': 0, 'TLSv1.2': 0, 'TLSv1.3': 0, none: 0, unknown: 0 },
    },
    bytes: { served: 0, received: 0, saved: 0 },
    ahead: { fetched: 0, used: 0 },
    proxy: { open: 1, passed: 0, refused: 0, sent: 0, received: 0 },
    troubles: 0,
    inTrouble: [],
  });
});

test('it adds up what happened since the start', () => {
  const { report, status } = board();
  report(served);
  report({ ...served, outcome: 'miss' });
  report({ ...served, status: 503, outcome: 'none', bytes: 1 });
  report({ ...served, whole: false, bytes: 0 });
  report({ ...served, whole: false, bytes: 0, error: new Error('wrong bytes') });
  report({ ...served, what: 'page', bytes: 0 });
  report({ kind: 'received', registry: 'docker.io', bytes: 120 });
  const blob = {
    repository: { registry: 'docker.io', name: 'library/x' },
    digest: parseDigest(`sha256:${'a'.repeat(64)}`),
  };
  report({ kind: 'fill', ...blob, ahead: true });
  report({ kind: 'fill', ...blob, ahead: false });
  report({ kind: 'foreseen', ...blob });
  report({ kind: 'trouble', where: 'store', doing: 'read', error: undefined });
  report({ kind: 'bug', error: undefined });
  const { pulls, bytes, ahead, troubles } = status();
  assert.deepEqual(ahead, { fetched: 1, used: 1 });
  assert.deepEqual([pulls.total, pulls.failed, pulls.byOutcome.hit, pulls.byOutcome.miss], [5, 2, 3, 1]);
  assert.deepEqual(bytes, { served: 201, received: 120, saved: 81 });
  assert.equal(troubles, 2);
});

test('it tells what is in trouble, as long as it is', () => {
  const { report, status } = board();
  report({ kind: 'trouble', where: 'store', doing: 'read', error: undefined, times: 5 });
  report({ kind: 'trouble', where: 'book', doing: 'read', error: undefined });
  assert.deepEqual([status().troubles, status().inTrouble], [6, ['store', 'book']]);
  report({ kind: 'recovered', where: 'store' });
  assert.deepEqual(status().inTrouble, ['book']);
});

test('what was fetched and not asked for again is no negative saving', () => {
  const { report, status } = board();
  report({ ...served, whole: false, bytes: 0 });
  report({ ...served, whole: false, bytes: 0, error: new Error('wrong bytes') });
  report({ ...served, what: 'page', bytes: 0 });
  report({ kind: 'received', registry: 'docker.io', bytes: 120 });
  assert.equal(status().bytes.saved, 0);
});

test('a status that was taken does not change afterwards', () => {
  const { report, status } = board();
  const before = status();
  report(served);
  assert.equal(before.pulls.byOutcome.hit, 0);
});

test('what went through the forward proxy, and what it refused, is added up', () => {
  const { report, status } = board();
  const passed = {
    kind: 'passed',
    how: 'tunnel',
    address: '10.0.0.7',
    host: 'ghcr.io',
    registry: 'ghcr.io',
    sent: 10,
    received: 1000,
    ms: 1,
    ended: 'done',
  } as const;
  report(passed);
  report(passed);
  report({ kind: 'refused', address: '10.0.0.7', target: '', status: 403, why: '' });
  assert.deepEqual(status().proxy, { open: 1, passed: 2, refused: 1, sent: 20, received: 2000 });
});

test('it tells what registries allow, of whom, and until when nobody is asked in vain', () => {
  const payer = { registry: 'docker.io', endpoint: 'https://registry-1.docker.io', asOf: 0 };
  const spent = { ...limit, renewed: 21_600_000 };
  const { status } = board([
    { ...payer, account: undefined, place: undefined, told: spent, restsUntil: 108_000 },
    {
      ...payer,
      account: 'acme',
      place: 1,
      told: { ...spent, remaining: 9, source: '203.0.113.7' },
      restsUntil: undefined,
    },
    { ...payer, account: 'acme-two', place: 2, told: undefined, restsUntil: 3000 },
  ]);
  const shown = { ...payer, asOf: '1970-01-01T00:00:00.000Z' };
  const told = { ...shown, ...limit, renewed: '1970-01-01T06:00:00.000Z' };
  assert.deepEqual(status().budgets, [
    { ...told, account: 'anonymous', restsUntil: '1970-01-01T00:01:48.000Z' },
    { ...told, account: 'acme', remaining: 9, source: '203.0.113.7', restsUntil: undefined },
    { ...shown, account: 'acme-two', restsUntil: '1970-01-01T00:00:03.000Z' },
  ]);
});
