// What registries tell of their limits, and what they tell when they mean harm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Headers } from '../../../src/core/mirror/reply.ts';
import { sourceIn, toldIn } from '../../../src/core/upstream/limits.ts';

const told = (limit: Headers[string] | undefined, remaining: Headers[string] | undefined) =>
  toldIn({
    ...(limit !== undefined && { 'ratelimit-limit': limit }),
    ...(remaining !== undefined && { 'ratelimit-remaining': remaining }),
  });

test('Docker Hub’s headers tell a limit, what is left of it, its window, and whom it counts', () => {
  const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
  const known = { limit: 100, remaining: 76, window: 21_600_000 };
  assert.deepEqual(toldIn(headers), { ...known, source: undefined });
  for (const source of ['203.0.113.7', '2001:db8::/64', '7f7c0e4a-0000-4000-8000-000000000000']) {
    assert.deepEqual(toldIn({ ...headers, 'docker-ratelimit-source': source }), { ...known, source });
  }
});

test('without a window it is a minute, as others mean these headers; a window longer than a day is a day', () => {
  assert.equal(told('2000', '1999')?.window, 60_000);
  assert.equal(told('2000; w=10', '1999')?.window, 10_000);
  assert.equal(told('10;w=999999999', '1;w=999999999')?.window, 86_400_000);
});

test('what makes no sense, or is much too long, tells nothing', () => {
  const long = '1'.repeat(10_000_000);
  for (const [limit, remaining] of [
    [undefined, '5'],
    ['5', undefined],
    ['', ''],
    ['-100;w=21600', '-1;w=21600'],
    ['100;w=-1', '1;w=-1'],
    ['1e3', '5'],
    ['NaN', 'Infinity'],
    ['9999999999', '1'],
    [long, '1'],
    ['100', long],
    ['100;w=21600, 5;w=60', '1'],
    [['100;w=21600', '5;w=60'], '1'],
    ['100;w=21600', '50;w=60'],
    ['100;w=0', '50;w=0'],
    ['0;w=21600', '0;w=21600'],
    ['5;w=21600', '100;w=21600'],
    ['١٠٠', '١'],
  ] as const) {
    assert.equal(told(limit, remaining), undefined, `${String(limit).slice(0, 40)} ${String(remaining).slice(0, 40)}`);
  }
});

test('a source that could do harm where it is shown is none', () => {
  for (const source of ['a b', '<script>', '"', 'a\r\nb', 'x'.repeat(65), '']) {
    assert.equal(sourceIn({ 'docker-ratelimit-source': source }), undefined, source);
  }
});
