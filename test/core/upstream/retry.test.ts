// When an upstream that stumbles is asked again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import type { UpstreamResponse } from '../../../src/core/upstream/fetch.ts';
import { retryAfter } from '../../../src/core/oci/retry-after.ts';
import { withRetry } from '../../../src/core/upstream/retry.ts';
import { TestClock, signal } from './bench.ts';

type Script = readonly (number | Error | (() => UpstreamResponse))[];

function answer(status: number, headers: Record<string, string> = {}): UpstreamResponse {
  return { status, headers, body: (async function* () {})(), cancel: () => {} };
}

async function run(script: Script, { clock = new TestClock(), abort = signal } = {}) {
  let calls = 0;
  const fetch = withRetry(
    clock,
    () => 0.5,
  )(async () => {
    const next = script[calls] ?? 200;
    calls += 1;
    if (next instanceof Error) throw next;
    return typeof next === 'number' ? answer(next) : next();
  });
  const request = {
    method: 'GET',
    url: 'http://registry.test/',
    headers: {},
    signal: abort,
    trust: 'configured',
  } as const;
  const outcome = await fetch(request).then(
    ({ status }) => status,
    (error: unknown) => error,
  );
  return { outcome, calls, slept: clock.slept };
}

test('a broken network and a stumbling server are asked twice more, at growing distance', async () => {
  assert.deepEqual(await run([new Error('reset'), 503, 200]), { outcome: 200, calls: 3, slept: [150, 300] });
  assert.deepEqual(await run([500, 502, 504, 200]), { outcome: 504, calls: 3, slept: [150, 300] });
  const reset = new Error('reset');
  assert.deepEqual(await run([reset, reset, reset]), { outcome: reset, calls: 3, slept: [150, 300] });
});

test('answers and decisions are not asked for again', async () => {
  for (const status of [200, 401, 404, 429, 501]) assert.equal((await run([status])).calls, 1);
  const refused = new RegistryError('UNAVAILABLE', 'a redirect that is not allowed', { status: 502 });
  assert.deepEqual(await run([refused]), { outcome: refused, calls: 1, slept: [] });
});

test('Retry-After is waited for if it is short, and otherwise passed on', async () => {
  assert.deepEqual(await run([() => answer(429, { 'retry-after': '2' }), 200]), {
    outcome: 200,
    calls: 2,
    slept: [2000],
  });
  assert.deepEqual(await run([() => answer(429, { 'retry-after': '3' }), 200]), { outcome: 429, calls: 1, slept: [] });
  assert.deepEqual(await run([() => answer(503, { 'retry-after': '60' }), 200]), { outcome: 503, calls: 1, slept: [] });
});

test('no attempt begins more than ten seconds after the first', async () => {
  const clock = new TestClock();
  const slow = () => {
    clock.time += 9_900;
    return answer(503);
  };
  assert.deepEqual(await run([slow, slow], { clock }), { outcome: 503, calls: 1, slept: [] });
});

test('whoever has left is not asked for', async () => {
  const controller = new AbortController();
  const reset = new Error('reset');
  const leave = () => {
    controller.abort(reset);
    throw reset;
  };
  assert.deepEqual(await run([leave], { abort: controller.signal }), { outcome: reset, calls: 1, slept: [] });
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('Fri, 20 Nov 2026 12:00:00 GMT');
  assert.equal(retryAfter(' 7 ', now), 7000);
  assert.equal(retryAfter('Fri, 20 Nov 2026 12:00:30 GMT', now), 30_000);
  assert.equal(retryAfter('Fri, 20 Nov 2026 11:00:00 GMT', now), 0);
  for (const nonsense of [undefined, '', '-1', 'soon', '1e9', '99999999999']) {
    assert.equal(retryAfter(nonsense, now), undefined);
  }
});
